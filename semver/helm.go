package semver

// chartFile finds the version of a Helm chart.
var chartFile = byKey(walkYAML, "version")

// chartInStep finds the version of a Helm chart, and that of its application if it is the same.
func chartInStep(d *document) ([]scalar, error) {
	found, err := chartFile(d)
	if err != nil || len(found) != 1 {
		return found, err
	}
	app, err := byKey(walkYAML, "appVersion")(d)
	for _, s := range app {
		own, ownErr := d.version(found[0])
		if v, err := d.version(s); err == nil && ownErr == nil && v == own {
			found = append(found, s)
		}
	}
	return found, err
}
