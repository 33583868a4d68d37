package simulator

import (
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

var setupPath = regexp.MustCompile(`^/v\d+\.\d+/(?:(debug_token)|(\d+)(?:/(subscribed_apps|subscriptions))?)$`)

// setup handles the calls that are about how things are arranged. It reports
// false if the call is about something else. The lock is held.
func (s *Simulator) setup(call *Call, r *http.Request) (answer, bool) {
	match := setupPath.FindStringSubmatch(r.URL.Path)
	query := r.URL.Query()
	if match == nil || r.Method != http.MethodGet || match[1]+match[3] == "" && !query.Has("fields") {
		return answer{}, false
	}
	call.Kind = "setup"
	if bad := s.authorized(bearer(r)); bad != nil {
		return call.refuse(*bad), true
	}
	switch {
	case match[1] != "":
		return call.debug(s.owner(query.Get("input_token"))), true
	case match[3] == "subscribed_apps":
		return s.subscribers(call, bearer(r), match[2]), true
	case match[3] == "subscriptions":
		return s.subscriptions(call, bearer(r), match[2]), true
	}
	return s.fields(call, bearer(r), match[2], query.Get("fields")), true
}

// owner is the number whose access token it is, or nil.
func (s *Simulator) owner(token string) *number {
	for _, id := range s.numberIDs() {
		if n := s.numbers[id]; token != "" && n.Token == token {
			return n
		}
	}
	return nil
}

// numberIDs are in order, so that every run meets the same number first.
func (s *Simulator) numberIDs() []string { return slices.Sorted(maps.Keys(s.numbers)) }

// appOwner is a number of the app whose ID and secret make up the token, or nil.
func (s *Simulator) appOwner(token string) *number {
	for _, id := range s.numberIDs() {
		if n := s.numbers[id]; n.AppSecret != "" && token == n.view().AppID+"|"+n.AppSecret {
			return n
		}
	}
	return nil
}

// authorized refuses a token that nobody may call with; nil means that it may
// be used. Meta: error codes, 190 and its subcodes.
func (s *Simulator) authorized(token string) *refusal {
	switch n := s.owner(token); {
	case token == "":
		return &noToken
	case n != nil && n.view().expired():
		expired := documented(190)
		return &expired
	case n == nil && strings.Contains(token, "|") && s.appOwner(token) == nil:
		return &refusal{status: http.StatusBadRequest, code: 190, message: "Invalid OAuth access token signature."}
	case n == nil && s.appOwner(token) == nil:
		return &badToken
	}
	return nil
}

// debug tells what the token of a number allows.
// Meta: debug token.
func (c *Call) debug(n *number) answer {
	if n == nil {
		unknown := object{"code": 190, "message": "Invalid OAuth access token."}
		return succeed(object{"data": object{"is_valid": false, "scopes": []string{}, "error": unknown}})
	}
	c.Number = n.ID
	d := n.view()
	expires := int64(0)
	if !d.Expires.IsZero() {
		expires = d.Expires.Unix()
	}
	granular := []object{}
	for _, scope := range d.Scopes {
		limit := object{"scope": scope}
		if targets := d.Targets[scope]; len(targets) > 0 {
			limit["target_ids"] = targets
		}
		granular = append(granular, limit)
	}
	return succeed(object{"data": object{
		"app_id": d.AppID, "type": d.TokenKind, "application": "Simulated", "is_valid": !d.expired(),
		"expires_at": expires, "data_access_expires_at": 0, "scopes": d.Scopes, "granular_scopes": granular,
	}})
}

// may reports that a token is good for an account with a permission.
func (n *number) may(token, scope string) bool {
	d := n.view()
	targets := d.Targets[scope]
	return token == n.Token && slices.Contains(d.Scopes, scope) && (len(targets) == 0 || slices.Contains(targets, n.WABAID))
}

var noPermission = refusal{status: http.StatusForbidden, code: 200, message: "(#200) You do not have the necessary permissions required to perform this action."}

// subscribers lists the apps that are subscribed to an account.
// Meta: subscribed apps.
func (s *Simulator) subscribers(call *Call, token, account string) answer {
	for _, id := range s.numberIDs() {
		n := s.numbers[id]
		if n.WABAID != account || token != n.Token {
			continue
		}
		call.Number = n.ID
		if !n.may(token, "whatsapp_business_management") {
			return call.refuse(noPermission)
		}
		d, apps := n.view(), []object{}
		for _, id := range d.Subscribed {
			app := object{"whatsapp_business_api_data": object{"id": id, "name": "App " + id, "link": "https://www.facebook.com/games/?app_id=" + id}}
			if id == d.AppID && d.AccountCallback != "" {
				app["override_callback_uri"] = d.AccountCallback
			}
			apps = append(apps, app)
		}
		return succeed(object{"data": apps})
	}
	return call.refuse(invisible(http.MethodGet, account))
}

// subscriptions tells an app, by its own token, what it is subscribed to.
// Meta: app subscriptions.
func (s *Simulator) subscriptions(call *Call, token, app string) answer {
	n := s.appOwner(token)
	if n == nil || n.view().AppID != app {
		return call.refuse(refusal{status: http.StatusBadRequest, code: 15, message: "(#15) This method must be called with an app access_token."})
	}
	call.Number = n.ID
	d := n.view()
	if d.Callback == "" {
		return succeed(object{"data": []object{}})
	}
	fields := []object{}
	for _, name := range d.Fields {
		fields = append(fields, object{"name": name, "version": "v25.0"})
	}
	return succeed(object{"data": []object{{"object": "whatsapp_business_account", "callback_url": d.Callback, "active": true, "fields": fields}}})
}

// fields tells what was asked about a number, and nothing else.
// Meta: business phone numbers.
func (s *Simulator) fields(call *Call, token, id, names string) answer {
	call.Number = id
	n := s.numbers[id]
	if n == nil || !n.may(token, "whatsapp_business_management") && !n.may(token, "whatsapp_business_messaging") {
		return call.refuse(invisible(http.MethodGet, id))
	}
	known, shown := n.properties(), object{"id": id}
	for name := range strings.SplitSeq(names, ",") {
		value, ok := known[name]
		if !ok {
			return call.refuse(parameter("Tried accessing nonexisting field (" + name + ") on node type (WhatsAppBusinessPhoneNumber)"))
		}
		shown[name] = value
	}
	return succeed(shown)
}

// properties are the fields of a number.
func (n *number) properties() object {
	d := n.view()
	hooks := object{}
	for name, address := range map[string]string{"phone_number": d.NumberCallback, "whatsapp_business_account": d.AccountCallback, "application": d.Callback} {
		if address != "" {
			hooks[name] = address
		}
	}
	return object{
		"id": n.ID, "display_phone_number": n.Display, "verified_name": d.Name, "status": d.Status,
		"platform_type": d.Platform, "account_mode": d.Mode, "code_verification_status": d.Verification,
		"name_status": d.NameStatus, "quality_rating": d.Quality, "throughput": object{"level": "STANDARD"},
		"webhook_configuration": hooks, "health_status": d.health(n.Number),
	}
}

// health sums up who takes part in the number's messages.
// Meta: messaging health status.
func (d Dashboard) health(n Number) object {
	overall, entities := "AVAILABLE", []object{}
	for _, part := range [][2]string{{"PHONE_NUMBER", n.ID}, {"WABA", n.WABAID}, {"BUSINESS", "506914307656634"}, {"APP", d.AppID}} {
		entity := object{"entity_type": part[0], "id": part[1], "can_send_message": "AVAILABLE"}
		if a, ill := d.Ailing[part[0]]; ill {
			entity["can_send_message"] = a.CanSend
			if a.Note != "" {
				entity["additional_info"] = []string{a.Note}
			}
			if a.Description != "" {
				entity["errors"] = []object{{"error_code": a.Code, "error_description": a.Description, "possible_solution": "See the documentation."}}
			}
			if overall != "BLOCKED" {
				overall = a.CanSend
			}
		}
		entities = append(entities, entity)
	}
	return object{"can_send_message": overall, "entities": entities}
}
