package config

// Build is how the image of a service is built.
type Build struct {
	// Context is the directory that is sent to the builder, relative to Config.Dir; Dockerfile is
	// relative to Context.
	Context, Dockerfile string
	// Target is the stage to build; empty means the last.
	Target  string
	Args    map[string]string
	Secrets []Secret
	// SSH is what of the ssh agent the build may use, as docker build takes it: default, or ID=PATH.
	SSH []string
	// Platforms is empty where the engine's own platform is built.
	Platforms []string
	Cache     Cache
}

// Secret is a value that a build may read and that never becomes part of the image. Exactly one of File
// and Env is set.
type Secret struct {
	ID   string
	File string // file on this machine, relative to Config.Dir
	Env  string // name of an environment variable on this machine
}

// Cache is where a build takes layers from and leaves them, as docker build's --cache-from and
// --cache-to take it.
type Cache struct {
	From, To []string
}

var buildKeys = mapping("build", []key[Build]{
	at("context", text, func(b *Build) *string { return &b.Context },
		"Directory that is sent to the builder.").or("."),
	at("dockerfile", text, func(b *Build) *string { return &b.Dockerfile },
		"Dockerfile, relative to the context.").or("Dockerfile"),
	at("target", text, func(b *Build) *string { return &b.Target },
		"Stage of the Dockerfile to build.").derived("the last stage"),
	at("args", table(argument), func(b *Build) *map[string]string { return &b.Args },
		"Build arguments."),
	at("secrets", list(secretKeys.kind()), func(b *Build) *[]Secret { return &b.Secrets },
		"Values that the build may read and that don't become part of the image."),
	at("ssh", either(single(text), set(text)), func(b *Build) *[]string { return &b.SSH },
		"What of the ssh agent the build may use: default, or ID=PATH."),
	at("platforms", either(single(platform), set(platform)), func(b *Build) *[]string { return &b.Platforms },
		"Platforms to build for.").derived("the engine's own"),
	at("cache", cacheKeys.kind(), func(b *Build) *Cache { return &b.Cache },
		"Where layers are taken from and left."),
})

var secretKeys = mapping("secret", []key[Secret]{
	at("id", text, func(s *Secret) *string { return &s.ID },
		"Name under which the Dockerfile mounts it.").must(),
	at("file", text, func(s *Secret) *string { return &s.File },
		"File on this machine that holds the value."),
	at("env", text, func(s *Secret) *string { return &s.Env },
		"Environment variable on this machine that holds the value."),
}).exclude("file", "env").require("file", "env")

var cacheKeys = mapping("cache", []key[Cache]{
	at("from", either(single(text), set(text)), func(c *Cache) *[]string { return &c.From },
		"Sources, as docker build --cache-from takes them."),
	at("to", either(single(text), set(text)), func(c *Cache) *[]string { return &c.To },
		"Destinations, as docker build --cache-to takes them."),
})
