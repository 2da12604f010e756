package semver

// chartInStep finds the version of a Helm chart, and that of its application if it is the same.
func chartInStep(d *document) ([]scalar, error) {
	found, err := byKey(walkYAML, "version")(d)
	if err != nil || len(found) != 1 {
		return found, err
	}
	own, err := d.version(found[0])
	if err != nil {
		return nil, err
	}
	app, err := byKey(walkYAML, "appVersion")(d)
	for _, s := range app {
		if v, err := d.version(s); err == nil && v == own {
			found = append(found, s)
		}
	}
	return found, err
}
