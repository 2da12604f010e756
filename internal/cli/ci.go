package cli

import (
	"strconv"

	"promote/internal/deploy"
	"promote/internal/promotion"
	"promote/internal/release"
	"promote/internal/ui"
)

// ci are the files that the CI which runs this, if one does, has for its values and its summary.
func (p *program) ci() ui.CI {
	return ui.CI{Outputs: p.env("GITHUB_OUTPUT"), Summary: p.env("GITHUB_STEP_SUMMARY"), Dotenv: p.env("PROMOTE_DOTENV")}
}

// reportRelease tells the CI which version a service is at, before it is published.
func (p *program) reportRelease(r *release.Release) {
	p.reportValues(r.Service,
		ui.Value{Name: "version", Text: r.Version.String()},
		ui.Value{Name: "image", Text: r.Reference()},
		ui.Value{Name: "git_tag", Text: r.GitTag},
	)
}

// reportPublished tells the CI what was published.
func (p *program) reportPublished(published release.Publication) {
	p.reportRelease(published.Release)
	p.reportValues(published.Release.Service,
		ui.Value{Name: "digest", Text: published.Digest}, ui.Value{Name: "new", Text: strconv.FormatBool(published.New)})
	outcome := "published"
	if !published.New {
		outcome = "was published before"
	}
	p.screen.Summary("publish", []string{"service", "version", "image", "digest", "outcome"},
		[][]string{{published.Service, published.Version, published.Image, promotion.Short(published.Digest), outcome}}, "")
}

// reportValues names the values of a service of several after it, too.
func (p *program) reportValues(service *release.Service, values ...ui.Value) {
	p.screen.Values(values...)
	if !service.StandsAlone() {
		for i := range values {
			values[i].Name += "_" + service.Name
		}
		p.screen.Values(values...)
	}
}

// outcomes are the ends of a deployment as the CI is told them, by exit code: those of the history, and
// what keeps one from beginning.
var outcomes = map[int]string{
	exitDone: "done", exitFailed: "failed", exitRefused: "refused", exitLocked: "locked", exitRestored: "restored",
	exitStuck: "stuck", exitDetached: "detached", exitInterrupted: "interrupted",
}

// reportMoves tells the CI how a deployment ended. Without plans none was made.
func (p *program) reportMoves(d *deploy.Deployment, plans deploy.Plans, err error) {
	outcome := outcomes[exitCode(err)]
	if err == nil && plans.Nothing() {
		outcome = "nothing"
	}
	values := []ui.Value{{Name: "outcome", Text: outcome}}
	if !plans.Nothing() {
		values = append(values, ui.Value{Name: "id", Text: d.ID()})
	}
	if err == nil {
		values = append(values, versions(plans.Moves())...)
	}
	p.screen.Values(values...)
	below := ""
	switch {
	case err != nil:
		below = err.Error()
	case plans.Nothing():
		below = "nothing to do"
	}
	p.screen.Summary(string(d.Hosts[0].Request.Kind)+" "+d.Environment().Name, []string{"service", "from → to", "digest", "outcome"}, rows(plans, outcome), below)
}

// versions are what services are on after a deployment; of one alone under a short name, too.
func versions(moves []promotion.Move) []ui.Value {
	var values []ui.Value
	for _, m := range moves {
		values = append(values, ui.Value{Name: "version_" + m.Service, Text: promotion.Label(m.To)})
	}
	if len(moves) == 1 {
		values = append(values, ui.Value{Name: "version", Text: values[0].Text})
	}
	return values
}

// rows are what moved, and what was left out.
func rows(plans deploy.Plans, outcome string) [][]string {
	var list [][]string
	for _, m := range plans.Moves() {
		list = append(list, []string{m.Service, promotion.Label(m.From) + " → " + promotion.Label(m.To), promotion.Short(m.To.Digest), outcome})
	}
	if len(plans) > 0 {
		for _, skip := range plans[0].Skipped {
			list = append(list, []string{skip.Service, "", "", "left out: " + skip.Reason})
		}
	}
	return list
}
