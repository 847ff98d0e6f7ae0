package cognitotest

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// authorization is what an authorization code stands for (RFC 6749 §4.1).
type authorization struct {
	client      *client
	account     *account
	scope       string
	redirectURI string
	challenge   string // S256 of PKCE (RFC 7636), empty for none
	expires     time.Time
}

// AuthorizationCode returns a code as a hosted page would, for a user who signed
// in there and for these scopes, such as "openid email". There are no hosted
// pages here; the token endpoint takes the code once, for five minutes, and with
// the redirect URI and the verifier of the code challenge (S256) where they are
// not empty. It panics when there is no such pool, client of that pool, or user.
func (s *Server) AuthorizationCode(poolID, clientID, username, scope, redirectURI, codeChallenge string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	code := s.uuid()
	s.codes[code] = &authorization{
		client: s.mustClient(poolID, clientID), account: s.mustAccount(poolID, username),
		scope: scope, redirectURI: redirectURI, challenge: codeChallenge, expires: s.now().Add(5 * time.Minute),
	}
	return code
}

// tokenReply is the token endpoint's answer (RFC 6749 §5.1).
type tokenReply struct {
	AccessToken  string `json:"access_token"`
	ExpiresIn    int    `json:"expires_in"`
	IDToken      string `json:"id_token,omitempty"`
	RefreshToken string `json:"refresh_token,omitempty"`
	TokenType    string `json:"token_type"`
}

// serveToken answers OAuth 2.0's token endpoint, by authorization code or refresh
// token: https://docs.aws.amazon.com/cognito/latest/developerguide/token-endpoint.html
func (s *Server) serveToken(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxRequest)
	reply, fault := s.token(r)
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	w.Header().Set("Cache-Control", "no-store")
	var answer any = reply
	if fault != "" {
		w.WriteHeader(http.StatusBadRequest)
		answer = map[string]string{"error": fault}
	}
	_ = json.NewEncoder(w).Encode(answer) // an error means that the client has gone
}

// token gives the tokens, or OAuth's name for what is wrong (RFC 6749 §5.2).
func (s *Server) token(r *http.Request) (reply tokenReply, fault string) {
	if err := r.ParseForm(); err != nil {
		return reply, "invalid_request"
	}
	id, secret, basic := r.BasicAuth()
	if !basic {
		id, secret = r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.clients[id]
	if c == nil || !c.hasSecret(secret) {
		return reply, "invalid_client"
	}
	grant := r.PostForm.Get("grant_type")
	if grant == "" || grant == "authorization_code" && !r.PostForm.Has("code") || grant == "refresh_token" && !r.PostForm.Has("refresh_token") {
		return reply, "invalid_request"
	}
	switch grant {
	case "authorization_code":
		a := s.codes[r.PostForm.Get("code")]
		delete(s.codes, r.PostForm.Get("code"))
		if a == nil || a.client != c || !a.takes(r) || !s.now().Before(a.expires) || a.account.usable() != nil {
			return reply, "invalid_grant"
		}
		g, refresh := s.grant(c, a.account, "", a.scope)
		return s.replyOf(g, refresh), ""
	case "refresh_token":
		g, err := s.refreshable(c, r.PostForm.Get("refresh_token"), r.PostForm.Get("device_key"))
		if err != nil {
			return reply, "invalid_grant"
		}
		return s.replyOf(g, ""), ""
	default:
		return reply, "unsupported_grant_type"
	}
}

// takes checks the redirect URI and the verifier that come with a code.
func (a *authorization) takes(r *http.Request) bool {
	if a.redirectURI != "" && r.PostForm.Get("redirect_uri") != a.redirectURI {
		return false
	}
	sum := sha256.Sum256([]byte(r.PostForm.Get("code_verifier")))
	computed := base64.RawURLEncoding.EncodeToString(sum[:])
	return a.challenge == "" || subtle.ConstantTimeCompare([]byte(computed), []byte(a.challenge)) == 1
}

func (s *Server) replyOf(g *grant, refresh string) tokenReply {
	result := s.tokensOf(g)
	reply := tokenReply{AccessToken: result.AccessToken, ExpiresIn: result.ExpiresIn, RefreshToken: refresh, TokenType: "Bearer"}
	if strings.Contains(g.scope, "openid") || g.scope == apiScope {
		reply.IDToken = result.IDToken
	}
	return reply
}
