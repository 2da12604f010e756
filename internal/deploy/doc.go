// Package deploy is an environment on its hosts, seen from the client: it looks at them, has promotion choose and
// plan, has each host carry its plan out, in waves, and follows. It prints nothing; who follows is told by Control.
package deploy
