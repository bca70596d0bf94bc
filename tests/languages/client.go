// A client as a Go program would have it: stubs made by protoc from proto/, and nothing else of Placet.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/known/structpb"

	pdp "placet/client/pdpv1"
)

func main() {
	connection, err := grpc.NewClient(os.Getenv("PDP_ADDRESS"), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		log.Fatal(err)
	}
	defer connection.Close()
	call, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	call = metadata.AppendToOutgoingContext(call, "authorization", "Bearer "+os.Getenv("PDP_TOKEN"))
	decisions := pdp.NewDecisionServiceClient(connection)
	properties, err := structpb.NewStruct(map[string]any{"tags": []any{"public"}, "rows": 10})
	if err != nil {
		log.Fatal(err)
	}
	for _, action := range []string{"read", "fly"} {
		answer, err := decisions.Authorize(call, &pdp.AuthorizeRequest{
			Subject:  &pdp.Subject{Type: "user", Id: "alice"},
			Action:   &pdp.Action{Name: action},
			Resource: &pdp.Resource{Type: "table", Id: "customers", Properties: properties},
		})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(action, answer.Effect)
	}
}
