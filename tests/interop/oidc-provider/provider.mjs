// The unmodified oidc-provider on a free port of 127.0.0.1, until standard input ends. Standard output is lines of JSON:
// first {issuer, introspection: {id, secret}, machine: {id, secret}, keyed: {ES256: {id, key}, RS256: …}}, then {event, …}
// for each event.
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import Provider from 'oidc-provider';

// Messages of the provider go to standard error.
console.info = console.log = console.error;
const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
const secret = () => randomBytes(32).toString('hex');

const server = createServer();
await new Promise((done) => server.listen(0, '127.0.0.1', done));
const issuer = `http://127.0.0.1:${server.address().port}`;
const introspection = { id: 'resource-server', secret: secret() };
const machine = { id: 'machine', secret: secret() };
// Clients with private_key_jwt: the issuer keeps the public key, and the first line prints the private key for the test.
const keyed = (algorithm, pair) => ({
  id: `machine-${algorithm.toLowerCase()}`,
  key: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }),
  registration: {
    client_id: `machine-${algorithm.toLowerCase()}`, jwks: { keys: [pair.publicKey.export({ format: 'jwk' })] },
    token_endpoint_auth_method: 'private_key_jwt', token_endpoint_auth_signing_alg: algorithm,
    redirect_uris: [], response_types: [], grant_types: ['client_credentials'],
  },
});
const es256 = keyed('ES256', generateKeyPairSync('ec', { namedCurve: 'P-256' }));
const rs256 = keyed('RS256', generateKeyPairSync('rsa', { modulusLength: 2048 }));

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: introspection.id, client_secret: introspection.secret,
      redirect_uris: [], response_types: [], grant_types: [],
    },
    {
      client_id: machine.id, client_secret: machine.secret,
      redirect_uris: [], response_types: [], grant_types: ['client_credentials'],
    },
    es256.registration,
    rs256.registration,
  ],
  cookies: { keys: [secret()] },
  scopes: ['openid', 'offline_access'],
  findAccount: (ctx, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
  features: {
    clientCredentials: { enabled: true },
    deviceFlow: { enabled: true },
    introspection: { enabled: true },
    registration: { enabled: true },
    revocation: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (ctx, resource) => ({ scope: 'mcp:tools mcp:other', audience: resource, accessTokenFormat: 'opaque' }),
    },
  },
});

// The pages load a font from a public host. Remove it: the tests send nothing to other machines.
provider.use(async (ctx, next) => {
  await next();
  if (typeof ctx.body === 'string') {
    ctx.body = ctx.body.replaceAll(/@import url\(https:[^)]*\);?/g, '');
  }
});

const named = {
  'grant.success': (ctx) => ({ grant: ctx.oidc.params.grant_type }),
  'grant.error': (ctx, error) => ({ grant: ctx.oidc.params?.grant_type, error: error.error, detail: error.error_detail }),
  'grant.revoked': () => ({}),
  'registration_create.success': () => ({}),
  'authorization.success': () => ({}),
  'authorization.error': (ctx, error) => ({ error: error.error, detail: error.error_description }),
  'refresh_token.consumed': () => ({}),
  'access_token.destroyed': () => ({}),
  'refresh_token.destroyed': () => ({}),
  server_error: (ctx, error) => ({ detail: String(error.stack) }),
};
for (const [event, tell] of Object.entries(named)) {
  provider.on(event, (...all) => say({ event, ...tell(...all) }));
}

// The provider has no favicon, and the browser would report that as an error.
const answer = provider.callback();
server.on('request', (request, response) => (request.url === '/favicon.ico' ? response.writeHead(204).end() : answer(request, response)));
say({ issuer, introspection, machine, keyed: { ES256: { id: es256.id, key: es256.key }, RS256: { id: rs256.id, key: rs256.key } } });
process.stdin.resume().on('end', () => process.exit(0));
