package rollout

import (
	"time"

	"promote/internal/docker"
	"promote/internal/promotion"
)

// Status of a step.
type Status string

const (
	Started  Status = "started"
	Progress Status = "progress"
	Done     Status = "done"
	Failed   Status = "failed"
	Noted    Status = "note"
	Undoing  Status = "undoing" // from here on things are put back
	Finished Status = "finished"
)

// Layer is how far the pull of an image's layer is.
type Layer = docker.Progress

// Event is something that a person following a deployment would want to see.
type Event struct {
	Schema  int                `json:"schema"`
	Seq     int                `json:"seq"` // 1, 2, 3, … without a gap
	At      time.Time          `json:"at"`
	Step    promotion.StepKind `json:"step,omitempty"`
	Service string             `json:"service,omitempty"`
	Task    string             `json:"task,omitempty"` // TaskStep; SaveStep and LoadStep: the data's name
	Status  Status             `json:"status"`
	Text    string             `json:"text,omitempty"`
	Layer   *Layer             `json:"layer,omitempty"`  // Progress of a pull
	Moved   int64              `json:"moved,omitempty"`  // Progress of data: bytes
	Result  *Result            `json:"result,omitempty"` // Finished
}

// Outcome of a deployment.
type Outcome string

const (
	OutcomeDone     Outcome = "done"
	OutcomeFailed   Outcome = "failed"   // and nothing was changed
	OutcomeChanged  Outcome = "changed"  // the state is not the planned one any more; nothing was done
	OutcomeRestored Outcome = "restored" // it failed, and everything was put back
	OutcomeStuck    Outcome = "stuck"    // it failed, and so did putting back: a person is needed
)

// Result is how a deployment ended.
type Result struct {
	Outcome Outcome  `json:"outcome"`
	Service string   `json:"service,omitempty"` // that failed
	Error   string   `json:"error,omitempty"`
	Hint    string   `json:"hint,omitempty"`
	Logs    []string `json:"logs,omitempty"` // last lines of the container that failed
	Repair  string   `json:"repair,omitempty"`
	Stays   []string `json:"stays,omitempty"` // OutcomeRestored: what was not put back all the same, such as half a migration
}
