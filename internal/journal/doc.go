// Package journal is an environment's history, lock and deployments on disk, beside the compose files:
//
//	.promote/
//	  .gitignore                the directory is often a checkout
//	  history.jsonl             one entry a line, appended and fsynced: begun before acting, ended after
//	  lock                      flocked by the worker; says who
//	  deployments/<id>/         plan.json, events.jsonl, worker.log, before/
//
// An entry is written whole or not at all: a line torn by a crash has no newline, is not read, and is
// ended by the next append. The lock is the kernel's, so that it dies with the process that holds it.
package journal
