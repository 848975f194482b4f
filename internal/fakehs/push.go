package fakehs

import "encoding/json"

var pushRoutes = []route{
	{method: "GET", path: "/pushrules", handle: (*call).pushRules},
	{method: "GET", path: "/pushrules/{$}", handle: (*call).pushRules},
	{method: "GET", path: "/pushrules/global", handle: (*call).globalPushRules},
	{method: "GET", path: "/pushrules/global/{$}", handle: (*call).globalPushRules},
	{method: "GET", path: "/pushers", handle: (*call).pushers},
}

// defaultRules is the part of the default rule set that bears on bots' messages.
//
// https://spec.matrix.org/v1.15/client-server-api/#predefined-rules
var defaultRules = json.RawMessage(`{
"override":[
{"rule_id":".m.rule.master","default":true,"enabled":false,"conditions":[],"actions":[]},
{"rule_id":".m.rule.suppress_notices","default":true,"enabled":true,
"conditions":[{"kind":"event_match","key":"content.msgtype","pattern":"m.notice"}],"actions":[]}],
"content":[],"room":[],"sender":[],
"underride":[
{"rule_id":".m.rule.message","default":true,"enabled":true,
"conditions":[{"kind":"event_match","key":"type","pattern":"m.room.message"}],"actions":["notify"]},
{"rule_id":".m.rule.encrypted","default":true,"enabled":true,
"conditions":[{"kind":"event_match","key":"type","pattern":"m.room.encrypted"}],"actions":["notify"]}]}`)

func (c *call) pushRules() (any, error) {
	return map[string]any{"global": defaultRules}, nil
}

func (c *call) globalPushRules() (any, error) { return defaultRules, nil }

func (c *call) pushers() (any, error) { return map[string]any{"pushers": []string{}}, nil }
