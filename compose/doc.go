// Package compose knows where the version of each service of a Docker Compose project is written, and
// changes it there, and only it.
//
// Load reads a project as docker compose would. [Project.Services] tells for every service which image
// it runs and in which place of which file its version stands: in the image line itself, in a variable
// of an env file, in the default of a variable. [Project.Edit] prepares changes of those places:
//
//	project, err := compose.Load(ctx, compose.Options{Dir: "/srv/shop"})
//	edit, err := project.Edit(compose.Change{Service: "core", From: from, To: to})
//	err = edit.Apply()
//
// What is promised: an edit is a splice of the version's bytes, and no other byte of any file moves.
// It is verified before it is returned: the file is parsed again and differs in that scalar only; the
// project is loaded again and differs in the planned images only; and no container of another service
// is given a changed variable, such as by its env_file. Files that are included or extended are
// followed as far as they lie in the project directory. What can't be edited so is refused, with the
// place, the reason and the way out ([Error]). A change followed by its inverse gives the original
// bytes.
package compose
