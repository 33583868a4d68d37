// Package integration holds the rules of WhatsApp integrations: their
// settings, who may write to them, and what deleting one leaves to be done.
//
// Credentials are not here. Settings name them by references into the
// integration's secret stream.
package integration
