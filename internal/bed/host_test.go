package bed_test

import (
	"testing"
	"time"

	"promote/internal/bed"
)

func TestHostsBoot(t *testing.T) {
	begun := time.Now()
	one := bed.Host(t, "one")
	t.Logf("one host: %v", time.Since(begun))
	begun = time.Now()
	two := bed.Hosts(t, "two", "three")
	t.Logf("two hosts: %v", time.Since(begun))
	t.Log(one.Run(t, "id; ip a; ps ax; mount; docker info; ls -la / /root /home/deploy /run; hostname"))
	_ = two
	out, err := one.Try("docker compose version; su deploy -c 'id; docker compose version; docker ps'; echo $?")
	t.Log(out, err)
}
