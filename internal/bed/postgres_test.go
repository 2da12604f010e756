package bed

import (
	"strconv"
	"strings"
	"testing"
)

// TestPostgres keeps what was written when the container is replaced by a new one, and wants the
// password of those who come from elsewhere.
func TestPostgres(t *testing.T) {
	Thorough(t)
	host := Host(t, "database")
	Postgres(t, host)
	const server = "docker run -d --name db -e POSTGRES_PASSWORD=s3cret -e POSTGRES_DB=shop -v data:/var/lib/postgresql/data postgres:15 && " +
		"until docker exec db pg_isready -q -h 127.0.0.1; do docker inspect -f '{{.State.Running}}' db | grep -q true || { docker logs db; exit 1; }; done; "
	host.Run(t, server+`docker exec db psql -U postgres -v ON_ERROR_STOP=1 -c "CREATE TABLE t AS SELECT 'kept' AS word" shop && docker rm -fv db`)
	if got := host.Run(t, server+`docker exec db psql -U postgres -At -c "SELECT word FROM t" shop`); !strings.HasSuffix(got, "\nkept\n") {
		t.Errorf("after another start: %s", got)
	}
	const elsewhere = "docker run --rm --network container:db postgres:15 psql -At -h $(docker inspect -f '{{.NetworkSettings.IPAddress}}' db) -U postgres -c 'SELECT 1' shop"
	if out, err := host.Try(elsewhere); err == nil {
		t.Errorf("it lets in whoever comes: %s", out)
	}
	if got := host.Run(t, strings.Replace(elsewhere, "--rm", "--rm -e PGPASSWORD=s3cret", 1)); got != "1\n" {
		t.Errorf("with the password: %s", got)
	}
	if size, err := strconv.Atoi(strings.TrimSpace(host.Run(t, "docker image inspect -f '{{.Size}}' postgres:15"))); err != nil || size > 80e6 {
		t.Errorf("%d bytes, %v: too much for every host of a test", size, err)
	}
	if user := host.Run(t, "docker exec db stat -c %U /var/lib/postgresql/data/PG_VERSION"); user != "postgres\n" {
		t.Errorf("the server is %s", user)
	}
}
