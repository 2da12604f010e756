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
	// Builder is the address of a buildkitd; empty means the engine's own builder.
	Builder string
	// Provenance is min, max, or empty for none; SBOM is the image of the scanner that writes it, or empty.
	Provenance, SBOM string
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

var buildKeys = mapping([]key[Build]{
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
		"Platforms to build for; more than one with a builder only.").derived("the builder's own"),
	at("cache", cacheKeys.kind(), func(b *Build) *Cache { return &b.Cache },
		"Where layers are taken from and left."),
	at("builder", builder, func(b *Build) *string { return &b.Builder },
		"Address of a buildkitd that builds, and pushes, in place of the engine.").derived("the engine's own"),
	at("provenance", choice("min", "max"), func(b *Build) *string { return &b.Provenance },
		"How much is attested about how the image was built; with a builder only.").derived("nothing"),
	at("sbom", text, func(b *Build) *string { return &b.SBOM },
		"Image of the scanner that attests what is in the image, such as docker/buildkit-syft-scanner; with a builder only.").derived("nothing"),
})

// checkBuild refuses what the engine's own builder can't do: it would be left out.
func (s *Service) checkBuild(d *decoder) {
	if s.Build == nil || s.Build.Builder != "" {
		return
	}
	refuse := func(field any, what string) {
		if n := d.at(field); n != nil {
			d.fail(n, "%s: %s needs a builder, the address of a buildkitd", s.Name, what)
		}
	}
	if len(s.Build.Platforms) > 1 {
		refuse(&s.Build.Platforms, "more than one platform")
	}
	if len(s.Build.Cache.To) > 0 {
		refuse(&s.Build.Cache, "cache to")
	}
	refuse(&s.Build.Provenance, "provenance")
	refuse(&s.Build.SBOM, "sbom")
}

var secretKeys = mapping([]key[Secret]{
	at("id", text, func(s *Secret) *string { return &s.ID },
		"Name under which the Dockerfile mounts it.").must(),
	at("file", text, func(s *Secret) *string { return &s.File },
		"File on this machine that holds the value."),
	at("env", text, func(s *Secret) *string { return &s.Env },
		"Environment variable on this machine that holds the value."),
}).exclude("file", "env").require("file", "env")

var cacheKeys = mapping([]key[Cache]{
	at("from", either(single(text), set(text)), func(c *Cache) *[]string { return &c.From },
		"Sources, as docker build --cache-from takes them."),
	at("to", either(single(text), set(text)), func(c *Cache) *[]string { return &c.To },
		"Destinations, as docker build --cache-to takes them."),
})
