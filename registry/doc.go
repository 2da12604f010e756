// Package registry reads and publishes releases in an image registry: which versions there are, what a
// tag points to, who built it, and moving a tag to another digest without pulling or pushing a layer.
//
// A repository is written as docker writes it: aegee/core is on Docker Hub, ghcr.io/aegee/core and
// 127.0.0.1:5000/core name their registry. References are checked before anything is sent.
//
// Credentials come from docker's own configuration and credential helpers, unless a Client is given
// another keychain, and certificates from where Docker Engine has them (SystemCertificates). Plain HTTP
// is spoken with registries on the loopback (127.0.0.0/8, ::1, localhost) and with those that WithInsecure
// names, and only when they do not answer to HTTPS; nothing else is ever sent without TLS.
//
// What a registry answers falls into three kinds, and callers should treat them differently:
//
//   - it said that something is not there: ErrNotFound
//   - it wants other credentials: ErrUnauthorized, which is also an *UnavailableError, because many
//     registries say the same for a repository that does not exist
//   - anything else, *UnavailableError: it could not be told, so nothing may be concluded
//
// Answers of 429 and 5xx and broken connections are tried three times in all, after the pause that the
// registry asks for (Retry-After, up to a minute) or within about four seconds, before they are given
// back. A registry that says nothing for 30 seconds is given up. No error and no value of this package
// prints a secret.
package registry
