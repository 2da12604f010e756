package release

import "context"

// LinkedServices are services that always have the same version.
type LinkedServices []*Service

// ChangedServices are the names of the services that commits touch since a revision, or since each one's last
// version, if no revision is given. What is linked changes together.
func ChangedServices(ctx context.Context, asked []LinkedServices, rev string) ([]string, error) {
	names := []string{}
	for _, services := range asked {
		changed, err := services.haveChanged(ctx, rev)
		if err != nil {
			return nil, err
		}
		if changed {
			names = append(names, services.Names()...)
		}
	}
	return names, nil
}

// Names are those of promote.yaml.
func (l LinkedServices) Names() (names []string) {
	for _, s := range l {
		names = append(names, s.Name)
	}
	return names
}

// haveChanged reports whether one of the services has changed.
func (l LinkedServices) haveChanged(ctx context.Context, rev string) (bool, error) {
	for _, s := range l {
		if changed, err := s.hasChanged(ctx, rev); err != nil || changed {
			return changed, err
		}
	}
	return false, nil
}
