package s3test

import (
	"fmt"
	"net/http"
	"strings"
)

// cutBucket takes a path apart.
func cutBucket(path string) (bucket, key string, ok bool) {
	return strings.Cut(strings.TrimPrefix(path, "/"), "/")
}

// Refuse answers requests of some methods, or all, as S3 does when it will not.
// Code is one of its error codes, for example "AccessDenied".
func Refuse(status int, code string, methods ...string) Fault {
	return func(w http.ResponseWriter, r *http.Request) bool {
		if len(methods) > 0 && !strings.Contains(strings.Join(methods, " "), r.Method) {
			return false
		}
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(status)
		if r.Method != http.MethodHead {
			fmt.Fprintf(w, `<?xml version="1.0" encoding="UTF-8"?><Error><Code>%s</Code><Message>no</Message><RequestId>1</RequestId></Error>`, code)
		}
		return true
	}
}

// Cut lets some bytes of every answer with content through, and then the
// connection ends.
func (s *Server) Cut(after int) Fault {
	return func(w http.ResponseWriter, r *http.Request) bool {
		if _, key, _ := cutBucket(r.URL.Path); r.Method != http.MethodGet || key == "" {
			return false
		}
		s.s3.ServeHTTP(&cutting{ResponseWriter: w, left: after}, r)
		return true
	}
}

// cutting is an answer that ends early.
type cutting struct {
	http.ResponseWriter
	left int
}

// Write implements http.ResponseWriter.
func (c *cutting) Write(p []byte) (int, error) {
	n, err := c.ResponseWriter.Write(p[:min(len(p), c.left)])
	if c.left -= n; err == nil && n < len(p) {
		if flusher, ok := c.ResponseWriter.(http.Flusher); ok {
			flusher.Flush()
		}
		panic(http.ErrAbortHandler)
	}
	return n, err
}
