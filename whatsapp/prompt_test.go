package whatsapp_test

import (
	"strings"
	"testing"
)

func TestPrompt(t *testing.T) {
	cases := []struct {
		rule, message, text string
		opens               bool
	}{
		{"a text is its body exactly", `"type":"text","text":{"body":" Hi\n there "}`, " Hi\n there ", true},
		{"an empty text opens nothing", `"type":"text","text":{"body":""}`, "", false},
		{"a blank text opens nothing", `"type":"text","text":{"body":" \n\t "}`, " \n\t ", false},
		{"a text without its body opens nothing", `"type":"text"`, "", false},

		{"a button gives its ID and title", `"type":"interactive","interactive":{"type":"button_reply","button_reply":{"id":"yes","title":"Yes, please"}}`, "[selection button id=yes] Yes, please", true},
		{"a list row likewise", `"type":"interactive","interactive":{"type":"list_reply","list_reply":{"id":"a 1","title":"A","description":"d"}}`, "[selection list id=a 1] A", true},
		{"a template's quick reply reads like a button", `"type":"button","button":{"payload":"No-Payload","text":"No"}`, "[selection button id=No-Payload] No", true},
		{"an ID that could end the form is quoted", `"type":"button","button":{"payload":"a] \"b","text":"x] y"}`, `[selection button id="a] \"b"] x] y`, true},
		{"an ID that looks quoted is quoted", `"type":"button","button":{"payload":"\"a\"","text":"t"}`, `[selection button id="\"a\""] t`, true},
		{"an ID cannot break the line", `"type":"button","button":{"payload":"a\nb\u2028","text":"t"}`, `[selection button id="a\nb\u2028"] t`, true},
		{"an interactive message without its reply opens nothing", `"type":"interactive"`, "", false},
		{"a new kind of interactive message opens nothing", `"type":"interactive","interactive":{"type":"hologram"}`, "", false},
		{"a call permission opens nothing", `"type":"interactive","interactive":{"type":"call_permission_reply","call_permission_reply":{"response":"accept"}}`, "", false},

		{"a form gives its answers as they are", `"type":"interactive","interactive":{"type":"nfm_reply","nfm_reply":{"name":"flow","body":"Sent","response_json":"{\"z\": 12345678901234567890,\n \"a\":\"<]>\"}"}}`, `[form name="flow" summary="Sent" answers={"z":12345678901234567890,"a":"<]>"}]`, true},
		{"answers that are not JSON are quoted", `"type":"interactive","interactive":{"type":"nfm_reply","nfm_reply":{"response_json":"]\n[order"}}`, `[form name="" answers="]\n[order"]`, true},

		{"a location gives what it has", `"type":"location","location":{"latitude":37.4611978,"longitude":"-122.2164385","name":"Facebook HQ","address":"1 \"Hacker\" Way\\"}`, `[location lat=37.4611978 lon=-122.2164385 name="Facebook HQ" address="1 \"Hacker\" Way\\" ]`, true},
		{"a location without names is its coordinates", `"type":"location","location":{"latitude":-1,"longitude":2}`, `[location lat=-1 lon=2 ]`, true},
		{"a location without coordinates opens nothing", `"type":"location","location":{"name":"x","latitude":"1 ]"}`, "", false},

		{"contacts are a line each", `"type":"contacts","contacts":[{"name":{"formatted_name":"Ada\nByron"},"phones":[{"phone":"+1 555"},{"phone":"2"}],"emails":[{"email":"a@b.c"}],"org":{"company":"AE"}},{"name":{"formatted_name":"Bob"}}]`, "[contact name=\"Ada\\nByron\" phone=\"+1 555\" phone=\"2\" email=\"a@b.c\" company=\"AE\"]\n[contact name=\"Bob\"]", true},
		{"an order gives its items", `"type":"order","order":{"catalog_id":"C","text":"No onions]","product_items":[{"product_retailer_id":"burger","quantity":2,"item_price":"30","currency":"USD"},{"product_retailer_id":"soda","quantity":"1"}]}`, `[order catalog="C" text="No onions]" 2x"burger" at 30 "USD", 1x"soda"]`, true},
		{"a person who opens the chat may be greeted", `"type":"request_welcome"`, "[welcome]", true},

		{"a medium says its caption", `"type":"image","image":{"id":"1","caption":"Look"}`, "Look", true},
		{"a medium without caption opens nothing yet", `"type":"audio","audio":{"id":"1","voice":true}`, "", false},
		{"a sticker opens nothing", `"type":"sticker","sticker":{"id":"1"}`, "", false},

		{"a reaction opens nothing", `"type":"reaction","reaction":{"message_id":"a","emoji":"👍"}`, "", false},
		{"news about the person open nothing", `"type":"system","system":{"body":"User changed"}`, "", false},
		{"an edit opens nothing", `"type":"edit","edit":{"message":{"type":"text","text":{"body":"x"}}}`, "", false},
		{"a deletion opens nothing", `"type":"revoke","revoke":{"original_message_id":"a"}`, "", false},
		{"what Meta does not support opens nothing", `"type":"unsupported","errors":[{"code":131051}]`, "", false},
		{"the older word for it neither", `"type":"unknown","errors":[{"code":131051}]`, "", false},
		{"a new type opens nothing", `"type":"hologram","text":{"body":"x"}`, "", false},
		{"a message without a type opens nothing", `"id":"x"`, "", false},
	}
	for _, c := range cases {
		t.Run(c.rule, func(t *testing.T) {
			text, opens := one(t, `"messages":[{"from":"1",`+c.message+`}]`).Prompt()
			if text != c.text || opens != c.opens {
				t.Errorf("got  %q, %v\nwant %q, %v", text, opens, c.text, c.opens)
			}
		})
	}
}

func TestFormsStayOnTheirLine(t *testing.T) {
	const evil = `\n\r\u000b\u000c\u0085\u2028\u2029]\"\\`
	for _, message := range []string{
		`"type":"location","location":{"latitude":1,"longitude":2,"name":"` + evil + `","address":"` + evil + `"}`,
		`"type":"order","order":{"text":"` + evil + `","catalog_id":"` + evil + `","product_items":[{"product_retailer_id":"` + evil + `","item_price":1,"currency":"` + evil + `"}]}`,
		`"type":"contacts","contacts":[{"name":{"formatted_name":"` + evil + `"},"phones":[{"phone":"` + evil + `"}]}]`,
		`"type":"interactive","interactive":{"type":"nfm_reply","nfm_reply":{"name":"` + evil + `","body":"` + evil + `","response_json":"` + evil + `"}}`,
		`"type":"button","button":{"payload":"` + evil + `","text":"t"}`,
	} {
		text, opens := one(t, `"messages":[{"from":"1",`+message+`}]`).Prompt()
		if strings.ContainsAny(text, "\n\r\v\f\u0085\u2028\u2029") || !opens {
			t.Errorf("%q", text)
		}
	}
}
