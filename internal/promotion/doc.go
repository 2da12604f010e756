// Package promotion decides: which releases go where, which gates stand in the way, in which order and
// by which strategy. Its answer is a [Plan], which is data: printed by diff, confirmed by a person,
// carried out by package rollout, kept with the deployment.
//
// Everything here is pure. There is no I/O, no clock and no printing; what a decision depends on is in
// the [Request], so the same request gives the same plan, byte for byte.
//
// Deploy, pin and rollback differ only in how they choose releases. What follows, from changes of the
// compose files to steps, is one path; going back is planning the inverse.
package promotion
