package bed

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Refresh is the refresh token that the token server of a TokenRegistry takes.
const Refresh = "bed-refresh"

// tokens is the token server of a registry (distribution, "Token Authentication Specification" and
// "OAuth2 Token Authentication").
type tokens struct{ pair tls.Certificate }

// access is what a token allows with one repository.
type access struct {
	Type    string   `json:"type"`
	Name    string   `json:"name"`
	Actions []string `json:"actions"`
}

func (s *tokens) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	user, password, given := r.BasicAuth()
	if r.Method == http.MethodPost {
		user, password, given = r.FormValue("username"), r.FormValue("password"), true
	}
	known := user == User && password == Password || r.FormValue("refresh_token") == Refresh
	if given && !known {
		http.Error(w, `{"details":"wrong password"}`, http.StatusUnauthorized)
		return
	}
	_ = r.ParseForm() // a scope that can't be read is none
	token, err := s.issue(user, granted(strings.Fields(strings.Join(r.Form["scope"], " ")), known))
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"token": token, "access_token": token, "expires_in": 300})
}

// granted reads scopes such as repository:core:pull,push.
func granted(scopes []string, known bool) []access {
	list := []access{}
	for _, scope := range scopes {
		kind, rest, _ := strings.Cut(scope, ":")
		name, actions, _ := strings.Cut(rest, ":")
		wanted := strings.Split(actions, ",")
		if !known {
			wanted = slices.DeleteFunc(wanted, func(a string) bool { return a != "pull" })
		}
		list = append(list, access{kind, name, wanted})
	}
	return list
}

// issue signs a token that the registry takes, since it knows the certificate.
func (s *tokens) issue(user string, allowed []access) (string, error) {
	now := time.Now()
	signed := segment(map[string]any{"typ": "JWT", "alg": "ES256", "x5c": []string{base64.StdEncoding.EncodeToString(s.pair.Certificate[0])}}) +
		"." + segment(map[string]any{
		"iss": "bed", "sub": user, "aud": "bed", "jti": rand.Text(), "access": allowed,
		"iat": now.Unix(), "nbf": now.Add(-time.Minute).Unix(), "exp": now.Add(5 * time.Minute).Unix(),
	})
	sum := sha256.Sum256([]byte(signed))
	r, v, err := ecdsa.Sign(rand.Reader, s.pair.PrivateKey.(*ecdsa.PrivateKey), sum[:])
	if err != nil {
		return "", err
	}
	var signature [64]byte
	r.FillBytes(signature[:32])
	v.FillBytes(signature[32:])
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature[:]), nil
}

func segment(value map[string]any) string {
	text, _ := json.Marshal(value) // texts, numbers and lists of them always encode
	return base64.RawURLEncoding.EncodeToString(text)
}
