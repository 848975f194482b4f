package fakehs

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
)

// apiError is a standard error response of the client-server API.
type apiError struct {
	status int
	code   string
	reason string
	extra  map[string]any
	header http.Header
}

func (e *apiError) Error() string { return e.code + ": " + e.reason }

// MarshalJSON writes errcode and error if there is a code, and what else the error carries.
func (e *apiError) MarshalJSON() ([]byte, error) {
	body := maps.Clone(e.extra)
	if body == nil {
		body = make(map[string]any)
	}
	// The first answer of user-interactive authentication asks, and is no error.
	if e.code != "" {
		body["errcode"], body["error"] = e.code, e.reason
	}
	return json.Marshal(body)
}

func fail(status int, code, format string, args ...any) *apiError {
	return &apiError{status: status, code: code, reason: fmt.Sprintf(format, args...)}
}

func forbidden(format string, args ...any) *apiError {
	return fail(http.StatusForbidden, "M_FORBIDDEN", format, args...)
}

func notFound(format string, args ...any) *apiError {
	return fail(http.StatusNotFound, "M_NOT_FOUND", format, args...)
}

func badJSON(format string, args ...any) *apiError {
	return fail(http.StatusBadRequest, "M_BAD_JSON", format, args...)
}

func notJSON(format string, args ...any) *apiError {
	return fail(http.StatusBadRequest, "M_NOT_JSON", format, args...)
}

func invalidParam(format string, args ...any) *apiError {
	return fail(http.StatusBadRequest, "M_INVALID_PARAM", format, args...)
}

func missingParam(name string) *apiError {
	return fail(http.StatusBadRequest, "M_MISSING_PARAM", "%s is missing", name)
}

func tooLarge(format string, args ...any) *apiError {
	return fail(http.StatusRequestEntityTooLarge, "M_TOO_LARGE", format, args...)
}
