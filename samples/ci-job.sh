#!/bin/sh
# A CI job that signs in to an MCP server unattended and calls it. It needs mcpsm, curl and these variables. Keep the
# secret in the secret store of the CI system:
#
#   MCP_SERVER           the URL of the server
#   MCP_ISSUER           the issuer of the client: mcpsm sends the secret to no other issuer, even if the server names one
#   MCPSM_CLIENT_ID      the id of a client with the client credentials grant
#   MCPSM_CLIENT_SECRET  its secret; or MCPSM_CLIENT_KEY_FILE, a file with its private key as PEM
set -eu

# A temporary folder, so that nothing stays on the runner.
MCP_MANAGER_CONFIG_DIR=$(mktemp -d)
export MCP_MANAGER_CONFIG_DIR
trap 'mcpsm auth revoke job || true; rm -rf "$MCP_MANAGER_CONFIG_DIR"' EXIT

mcpsm add job --type http --url "$MCP_SERVER" --issuer "$MCP_ISSUER"
mcpsm auth login job --client-credentials
mcpsm test job

# Any program that sends a header can use the token. The pipe keeps it off every command line.
mcpsm auth token job --header | curl -fsS -H @- "$MCP_SERVER" \
    -H 'Content-Type: application/json' -H 'Accept: application/json, text/event-stream' \
    -d '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"ci-job","version":"1"}}}'
