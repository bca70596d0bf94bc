// May alice do this to a table? One Authorize call, by a client that protoc makes from proto/.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"

	pdp "example/ask/pdp/v1"
)

//go:generate sh generate.sh

const denied = 10

func main() {
	action := "read"
	if len(os.Args) > 1 {
		action = os.Args[1]
	}
	answer, err := ask(action)
	if err != nil {
		fmt.Println(err)
		os.Exit(denied)
	}
	fmt.Printf("%v:", answer.Effect)
	for _, reason := range answer.Reasons {
		fmt.Printf(" %s", reason.Reason)
	}
	fmt.Println()
	// Whatever is not a clear allow is a no: an error, another effect, an obligation that this program does not meet.
	if answer.Effect != pdp.Effect_EFFECT_ALLOW || len(answer.Obligations) > 0 {
		os.Exit(denied)
	}
}

func ask(action string) (*pdp.AuthorizeResponse, error) {
	address := os.Getenv("PDP_ADDRESS")
	if address == "" {
		address = "127.0.0.1:4770"
	}
	// Beyond this machine: credentials.NewTLS.
	connection, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return nil, err
	}
	defer connection.Close()
	call, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	call = metadata.AppendToOutgoingContext(call, "authorization", "Bearer "+os.Getenv("PDP_TOKEN"))
	return pdp.NewDecisionServiceClient(connection).Authorize(call, &pdp.AuthorizeRequest{
		Subject:  &pdp.Subject{Type: "user", Id: "alice"},
		Action:   &pdp.Action{Name: action},
		Resource: &pdp.Resource{Type: "table", Id: "customers"},
	})
}
