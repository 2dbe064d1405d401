// Verifies cStar's deliveries and acts once on each event.
package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

const tolerance = 300 // seconds, in both directions

var (
	secret = []byte(os.Getenv("WEBHOOK_SECRET")) // the whole secret, including whsec_
	mutex  sync.Mutex
	known  = map[string]bool{}
)

func hook(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 2<<20))
	if err != nil {
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		return
	}
	w.WriteHeader(receive(body, r.Header.Get("X-Signature")))
}

// receive verifies a delivery, acts on its event, and returns the status to respond with.
func receive(body []byte, header string) int {
	if !isGenuine(body, header) {
		return http.StatusUnauthorized
	}
	var event struct {
		ID string `json:"id"`
	}
	if json.Unmarshal(body, &event) != nil || event.ID == "" {
		return http.StatusBadRequest
	}
	if actOnce(event.ID) != nil {
		return http.StatusServiceUnavailable
	}
	return http.StatusOK
}

func isGenuine(body []byte, header string) bool {
	timestamp, signatures := "", []string{}
	for _, part := range strings.Split(header, ",") {
		switch name, value, _ := strings.Cut(strings.TrimSpace(part), "="); name {
		case "t":
			timestamp = value
		case "v1":
			signatures = append(signatures, value)
		}
	}
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	age := time.Now().Unix() - seconds
	if err != nil || age > tolerance || age < -tolerance {
		return false
	}
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(timestamp + "."))
	mac.Write(body)
	expected := hex.EncodeToString(mac.Sum(nil))
	for _, signature := range signatures {
		if hmac.Equal([]byte(expected), []byte(signature)) {
			return true
		}
	}
	return false
}

// actOnce is where your work goes. A unique key in your database replaces the map: it also works across processes and restarts.
func actOnce(id string) error {
	mutex.Lock()
	defer mutex.Unlock()
	if known[id] {
		return nil
	}
	file, err := os.OpenFile(os.Getenv("ACTED_FILE"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	if _, err := file.WriteString(id + "\n"); err != nil {
		return err
	}
	known[id] = true
	return nil
}

func main() {
	http.HandleFunc("/hook", hook)
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), nil))
}
