#!/bin/sh
# A CI job that signs in to an MCP server and calls it, with no person near. It needs mcpsm and curl, and these
# variables, the secret one from the CI's store of secrets:
#
#   MCP_SERVER           the server's URL
#   MCP_ISSUER           the issuer that the client belongs to: its secret goes to no other, whatever the server names
#   MCPSM_CLIENT_ID      the id of a client that the issuer lets sign in by itself
#   MCPSM_CLIENT_SECRET  its secret; or in its place MCPSM_CLIENT_KEY_FILE, a file with its private key as PEM
set -eu

# A folder of the job's own: nothing stays behind on the runner.
MCP_MANAGER_CONFIG_DIR=$(mktemp -d)
export MCP_MANAGER_CONFIG_DIR
trap 'mcpsm auth revoke job || true; rm -rf "$MCP_MANAGER_CONFIG_DIR"' EXIT

mcpsm add job --type http --url "$MCP_SERVER" --issuer "$MCP_ISSUER"
mcpsm auth login job --client-credentials
mcpsm test job

# Any program that sends a header can use the token. Through a pipe it stands on no command line.
mcpsm auth token job --header | curl -fsS -H @- "$MCP_SERVER" \
    -H 'Content-Type: application/json' -H 'Accept: application/json, text/event-stream' \
    -d '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"ci-job","version":"1"}}}'
