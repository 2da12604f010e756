// Package rollout carries a plan out on the machine where the environment runs: it pulls images,
// replaces containers, proves the new ones, commits each service's pin to the user's file once it is
// proven, and puts everything back when it can't go on.
//
// It never decides (the plan says what, in which order and how) and never prints: what happens is told
// as [Event] values to whoever asked.
//
// The order of a start-first rollout is such that at any moment a crash of ours, or a plain
// `docker compose up -d` by anybody, leaves a healthy container alone: the candidate stands in the
// user's file only while compose creates the new container from it, and for good only after that
// container is proven.
package rollout
