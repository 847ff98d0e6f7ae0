package cognitotest

import (
	"net/http"
	"strings"
)

// IssuerType says which address a pool's tokens name as their issuer.
type IssuerType string

// The issuer types of a user pool. A pool that was switched keeps its keys, and
// the tokens of both types stay good.
const (
	IssuerOriginal IssuerType = "ORIGINAL" // https://cognito-idp.REGION.SUFFIX/POOL
	IssuerUpdated  IssuerType = "UPDATED"  // https://issuer-cognito-idp.REGION.SUFFIX/POOL
)

// updatedHost begins the names of the hosts of updated issuers.
const updatedHost = "issuer-cognito-idp."

// partition is a part of AWS: its name in ARNs, and the end of its host names.
type partition struct{ name, suffix string }

// partitions are those beside aws by the beginning of the region, as in the SDK's
// partition data.
var partitions = map[string]partition{
	"cn-":      {"aws-cn", "amazonaws.com.cn"},
	"us-gov-":  {"aws-us-gov", "amazonaws.com"},
	"us-iso-":  {"aws-iso", "c2s.ic.gov"},
	"us-isob-": {"aws-iso-b", "sc2s.sgov.gov"},
	"eusc-":    {"aws-eusc", "amazonaws.eu"},
}

func partitionOf(region string) partition {
	for begin, other := range partitions {
		if strings.HasPrefix(region, begin) {
			return other
		}
	}
	return partition{"aws", "amazonaws.com"}
}

// region is the region that the pool's ID begins with.
func (p Pool) region() string { return p.ID[:strings.LastIndexByte(p.ID, '_')] }

// setIssuers fills in the pool's issuers of both types.
func (p *pool) setIssuers() {
	address := p.region() + "." + partitionOf(p.region()).suffix + "/" + p.ID
	p.issuers = map[IssuerType]string{
		IssuerOriginal: "https://cognito-idp." + address,
		IssuerUpdated:  "https://" + updatedHost + address,
	}
	if p.IssuerType == "" {
		p.IssuerType = IssuerOriginal
	}
}

// issuer is what the pool's new tokens name.
func (p *pool) issuer() string { return p.issuers[p.IssuerType] }

// issuedBy finds the pool that an issuer of either type names. The caller holds
// s.mu.
func (s *Server) issuedBy(issuer string) *pool {
	for _, p := range s.pools {
		for _, own := range p.issuers {
			if own == issuer {
				return p
			}
		}
	}
	return nil
}

// refusesHost says whether a request for the pool's documents went to the host of
// updated issuers, which knows only pools that were switched
// (awslabs/aws-jwt-verify#279).
func (p *pool) refusesHost(r *http.Request) bool {
	return strings.HasPrefix(r.Host, updatedHost) && p.IssuerType != IssuerUpdated
}

// SetIssuerType switches a pool to an issuer type: tokens made from now on,
// refreshed ones too, name that issuer. It panics when there is no such pool or
// type.
func (s *Server) SetIssuerType(poolID string, t IssuerType) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.mustPool(poolID)
	if p.issuers[t] == "" {
		panic("cognitotest: no issuer type " + string(t))
	}
	p.IssuerType = t
}
