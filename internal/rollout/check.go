package rollout

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"promote/internal/docker"
	"promote/internal/promotion"
)

// ask puts the checks to a container at once and often, and sends what came of each round: nil when all
// of them passed, which is the last, else the first that did not.
func (r *run) ask(ctx context.Context, c docker.Container, checks []promotion.Check) <-chan error {
	answers := make(chan error)
	go func() {
		tick := time.NewTicker(often)
		defer tick.Stop()
		for {
			err := r.askAll(ctx, c, checks)
			select {
			case answers <- err:
			case <-ctx.Done():
				return
			}
			if err == nil {
				return
			}
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
		}
	}()
	return answers
}

func (r *run) askAll(ctx context.Context, c docker.Container, checks []promotion.Check) error {
	for _, check := range checks {
		if err := r.askOne(ctx, c, check); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) askOne(ctx context.Context, c docker.Container, check promotion.Check) error {
	ctx, cancel := context.WithTimeout(ctx, check.Timeout)
	defer cancel()
	err := r.try(ctx, c, check)
	if err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fmt.Errorf("%s did not answer within %s", check, check.Timeout)
	}
	return err
}

func (r *run) try(ctx context.Context, c docker.Container, check promotion.Check) error {
	if check.HTTP == nil && check.TCP == 0 {
		code, err := r.Engine.Exec(ctx, c.ID, check.Run)
		switch {
		case err != nil:
			return fmt.Errorf("%s: %w", check, err)
		case code != 0:
			return fmt.Errorf("%s exited with status %d", check, code)
		}
		return nil
	}
	addresses, err := r.Engine.Addresses(ctx, c.ID)
	if err != nil {
		return fmt.Errorf("%s: %w", check, err)
	}
	for _, address := range addresses {
		if err = reach(ctx, check, address); err == nil {
			return nil
		}
	}
	return err
}

// reach asks over the network. Not every network of a container can be reached from here, so one
// answer is enough.
func reach(ctx context.Context, check promotion.Check, address string) error {
	if check.HTTP != nil {
		return get(ctx, check, address)
	}
	connection, err := new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort(address, strconv.Itoa(check.TCP)))
	if err != nil {
		return fmt.Errorf("%s: %w", check, plain(err))
	}
	return connection.Close()
}

// client goes to the container and nowhere else: through no proxy, and not where an answer sends it. It
// keeps no connection, for a container is not to be kept from stopping by one.
var client = &http.Client{
	Transport:     &http.Transport{DisableKeepAlives: true},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

func get(ctx context.Context, check promotion.Check, address string) error {
	target, err := url.ParseRequestURI(check.HTTP.Path)
	if err != nil {
		return fmt.Errorf("%s: %w", check, err)
	}
	// Whatever the path says, the request goes to the container.
	target.Scheme, target.User, target.Host = "http", nil, net.JoinHostPort(address, strconv.Itoa(check.HTTP.Port))
	request := (&http.Request{Method: http.MethodGet, URL: target, Host: check.HTTP.Host, Header: http.Header{"User-Agent": {"promote"}}}).WithContext(ctx)
	response, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("%s: %w", check, plain(err))
	}
	response.Body.Close()
	if !check.HTTP.Passes(response.StatusCode) {
		return fmt.Errorf("%s answered %d", check, response.StatusCode)
	}
	return nil
}

// plain leaves out the address, which is another one for every container.
func plain(err error) error {
	if op := (*net.OpError)(nil); errors.As(err, &op) {
		return op.Err
	}
	if asked := (*url.Error)(nil); errors.As(err, &asked) {
		return asked.Err
	}
	return err
}
