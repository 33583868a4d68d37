package load

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/valyala/fasthttp"

	"parley/whatsapp"
)

// object is a JSON object.
type object = map[string]any

// answer is the least that a turn takes: as many calls as a server with our
// features makes, and each step saved before the next one.
func (b *Bound) answer(m whatsapp.Message) {
	if err := b.tryAnswer(m); err != nil {
		b.logger.Error("bound cannot answer", "err", err)
	}
}

func (b *Bound) tryAnswer(m whatsapp.Message) error {
	typing := make(chan error, 1)
	go func() {
		_, err := b.graph(m.PhoneNumberID, object{
			"messaging_product": "whatsapp", "status": "read", "message_id": m.ID, "typing_indicator": object{"type": "text"},
		})
		typing <- err
	}()
	text, err := b.ask(m.Text)
	if err := errors.Join(err, <-typing); err != nil {
		return err
	}
	message := object{
		"messaging_product": "whatsapp", "to": m.From, "biz_opaque_callback_data": m.ID, "type": "text", "text": object{"body": text},
	}
	record, err := json.Marshal(message)
	if err == nil {
		err = b.save(record)
	}
	if err != nil {
		return err
	}
	accepted, err := b.graph(m.PhoneNumberID, message)
	if err != nil {
		return err
	}
	return b.save(accepted)
}

// ask asks the model.
func (b *Bound) ask(text string) (string, error) {
	stream, err := b.call("/v1/chat/completions", object{
		"model": "bench", "stream": true, "messages": []object{{"role": "system", "content": "Be brief."}, {"role": "user", "content": text}},
	})
	if err != nil {
		return "", err
	}
	answer := ""
	for line := range bytes.Lines(stream) {
		data, ok := bytes.CutPrefix(line, []byte("data: {"))
		if !ok {
			continue
		}
		var chunk struct {
			Choices []struct{ Delta struct{ Content string } }
		}
		if err := json.Unmarshal(append([]byte{'{'}, data...), &chunk); err != nil {
			return "", err
		}
		answer += chunk.Choices[0].Delta.Content
	}
	return answer, nil
}

func (b *Bound) graph(number string, body any) ([]byte, error) {
	return b.call("/v25.0/"+number+"/messages", body)
}

// call posts JSON to the world.
func (b *Bound) call(path string, body any) ([]byte, error) {
	encoded, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	request, response := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(request)
	defer fasthttp.ReleaseResponse(response)
	request.SetRequestURI(b.world + path)
	request.Header.SetMethod(fasthttp.MethodPost)
	request.Header.SetContentType("application/json")
	request.SetBodyRaw(encoded)
	err = b.client.Do(request, response)
	if err == nil && response.StatusCode() != fasthttp.StatusOK {
		err = fmt.Errorf("%s: status %d", path, response.StatusCode())
	}
	return bytes.Clone(response.Body()), err
}

// saveStatuses saves each status for itself, as if each person had a file.
func (b *Bound) saveStatuses(all []whatsapp.Status) error {
	saved := make(chan error, len(all))
	for _, s := range all {
		b.jobs <- job{body: s.Raw, saved: saved}
	}
	var errs []error
	for range all {
		errs = append(errs, <-saved)
	}
	return errors.Join(errs...)
}
