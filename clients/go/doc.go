// Package placet asks a Placet server before a program acts, and enforces the answer.
//
//	client, err := placet.New(placet.Options{Understands: []string{"mask"}})
//	decision, err := client.Authorize(ctx, placet.Question{
//		Subject: "agent:report-bot", OnBehalfOf: []string{"user:alice"}, Action: "read", Resource: "table:customers",
//	})
//	if decision.Allowed() { … }
//
// Only a clear allow is allowed. An error, an unknown effect and an obligation that the program does not know are not.
// [Guard] makes a function that runs only with a checked grant for exactly what it is about to get.
//
// Every error of a server, and of a value that cannot be sent, is an [*Error]; a decision that does not allow is
// [*Denied] where an error is due, and [*ApprovalPending] where people have to review first.
package placet
