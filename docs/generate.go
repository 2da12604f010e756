// Package docs is the documentation. What can be made from the code is: go generate writes it, and CI
// fails when it is not what it would write.
package docs

//go:generate go run ./generate
