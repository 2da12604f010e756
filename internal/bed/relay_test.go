package bed_test

import (
	"testing"
	"time"

	"promote/internal/bed"
)

func TestRelayDelays(t *testing.T) {
	const delay = 100 * time.Millisecond
	host := bed.Host(t, "remote")
	relay := host.Relay(t, delay)
	echo := startEcho(t, relay.URL("deploy"))
	begun := time.Now()
	echo.say(t, "how far")
	echo.hear(t, "how far")
	if took := time.Since(begun); took < 2*delay || took > 10*delay {
		t.Errorf("there and back takes %v, want a little more than %v", took, 2*delay)
	}
	if relay.Connections() != 1 {
		t.Errorf("%d connections, want 1", relay.Connections())
	}
	if relay.BytesUp() == 0 || relay.BytesDown() == 0 {
		t.Errorf("%d bytes up, %d down", relay.BytesUp(), relay.BytesDown())
	}
}

func TestRelayCarriesMuch(t *testing.T) {
	const size = 64 << 20
	host := bed.Host(t, "wide")
	relay := host.Relay(t, 20*time.Millisecond)
	if got := ssh(t, relay.URL("deploy"), "head -c 67108864 /dev/zero"); len(got) != size {
		t.Errorf("%d bytes arrived, want %d", len(got), size)
	}
	if relay.BytesDown() < size {
		t.Errorf("counted %d bytes down, want at least %d", relay.BytesDown(), size)
	}
}

func TestRelayFreezes(t *testing.T) {
	host := bed.Host(t, "frozen")
	relay := host.Relay(t, 0)
	echo := startEcho(t, relay.URL("root"))
	relay.Freeze()
	relay.Freeze() // changes nothing
	echo.hearNothing(t)
	up, down := relay.BytesUp(), relay.BytesDown()
	echo.say(t, "anybody there")
	echo.hearNothing(t)
	if relay.BytesUp() != up || relay.BytesDown() != down {
		t.Error("bytes passed a frozen relay")
	}
	relay.Thaw()
	echo.hear(t, "anybody there")
}

func TestFrozenRelayTakesConnectionsAndIsSilent(t *testing.T) {
	host := bed.Host(t, "mute")
	relay := host.Relay(t, 0)
	relay.Freeze()
	if out, err := trySSH(relay.URL("root"), "true", "-o", "ConnectTimeout=1"); exitStatus(err) != 255 {
		t.Errorf("ssh through a frozen relay: %v %s", err, out)
	}
	if relay.Connections() != 1 || relay.BytesDown() != 0 {
		t.Errorf("%d connections, %d bytes", relay.Connections(), relay.BytesDown())
	}
}

func TestRelayDrops(t *testing.T) {
	host := bed.Host(t, "lost")
	relay := host.Relay(t, 0)
	for _, frozen := range []bool{false, true} {
		echo := startEcho(t, relay.URL("root"))
		if frozen {
			relay.Freeze()
		}
		relay.Drop()
		if err := echo.cmd.Wait(); exitStatus(err) != 255 {
			t.Errorf("ssh on a dropped connection (frozen: %v): %v", frozen, err)
		}
		relay.Thaw()
	}
	ssh(t, relay.URL("root"), "true")
	if relay.Connections() != 3 {
		t.Errorf("%d connections, want 3", relay.Connections())
	}
}

func TestRelayOutlivesBoot(t *testing.T) {
	bed.Thorough(t)
	host := bed.Host(t, "reborn")
	relay := host.Relay(t, 0)
	host.PowerOff()
	host.Boot(t)
	ssh(t, relay.URL("deploy"), "true")
}
