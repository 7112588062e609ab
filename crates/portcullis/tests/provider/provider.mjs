// A real OAuth 2 authorization server for the proofs: issues access tokens by client credentials, as the client asks.
//
// usage: node provider.mjs PACKAGES FOLDER PORT TLS_PORT
//   PACKAGES  the folder whose node_modules has oidc-provider
//   FOLDER    tls.pem and tls-key.pem of the TLS port, clients.json; keys.json is written, so that a restart has the same keys
//   PORT      the issuer http://127.0.0.1:PORT; 0 takes a free one
//   TLS_PORT  the same server over TLS, which asks clients for certificates
// It prints `ready PORT TLS_PORT`. A line on its standard input is a command, answered by one line:
//   announce  publishes new keys behind those that sign
//   rotate    signs with the keys that were announced, or with new ones; those before stay published
//   retire    publishes only the keys that sign
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { generateKeyPairSync } from 'node:crypto';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [packages, folder, port, securePort] = process.argv.slice(2);
const { Provider } = await import(pathToFileURL(createRequire(join(packages, 'x')).resolve('oidc-provider')));

const KINDS = [
  ['RS256', 'rsa', { modulusLength: 2048 }],
  ['ES256', 'ec', { namedCurve: 'P-256' }],
  ['EdDSA', 'ed25519', {}],
];
const AUDIENCES = { orders: 'orders', billing: 'billing' };
const SCOPE = 'orders:read orders:write';

const makeKeys = (number) =>
  KINDS.map(([alg, type, options]) => {
    const { privateKey } = generateKeyPairSync(type, options);
    return { ...privateKey.export({ format: 'jwk' }), alg, use: 'sig', kid: `${alg.toLowerCase()}-${number}` };
  });

const keysFile = join(folder, 'keys.json');
// Sets of keys: `signing` comes first in what is published, and the first key of an algorithm signs.
let state = existsSync(keysFile)
  ? JSON.parse(readFileSync(keysFile, 'utf8'))
  : { number: 1, signing: makeKeys(1), announced: [], former: [] };

// https://api.test/orders/RS256 is a token for `orders` signed with RS256; …/opaque one that only introspection can read.
const resourceServer = (resource) => {
  const [, audience, form] = new URL(resource).pathname.split('/');
  const opaque = form === 'opaque';
  return {
    scope: SCOPE,
    audience: AUDIENCES[audience],
    accessTokenTTL: 600,
    accessTokenFormat: opaque ? 'opaque' : 'jwt',
    ...(!opaque && { jwt: { sign: { alg: form } } }),
  };
};

const certificate = (ctx) => ctx.socket.getPeerX509Certificate?.();

// What was issued outlives a rotation, though not the process.
const stores = new Map();
class Adapter {
  constructor(name) {
    if (!stores.has(name)) stores.set(name, new Map());
    this.items = stores.get(name);
  }
  async upsert(id, payload) { this.items.set(id, payload); }
  async find(id) { return this.items.get(id); }
  async findByUid() {}
  async findByUserCode() {}
  async consume(id) { this.items.get(id).consumed = Math.floor(Date.now() / 1000); }
  async destroy(id) { this.items.delete(id); }
  async revokeByGrantId() {}
}

const make = (issuer) => {
  const clients = JSON.parse(readFileSync(join(folder, 'clients.json'), 'utf8')).map((client) => ({
    grant_types: ['client_credentials'],
    redirect_uris: [],
    response_types: [],
    token_endpoint_auth_method: 'client_secret_basic',
    scope: SCOPE,
    ...client,
  }));
  const provider = new Provider(issuer, {
    adapter: Adapter,
    clients,
    jwks: { keys: [...state.signing, ...state.announced, ...state.former] },
    scopes: SCOPE.split(' '),
    enabledJWA: { dPoPSigningAlgValues: ['ES256', 'EdDSA'] },
    ttl: { ClientCredentials: 600 },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      // Whoever has proved itself may ask about any token, as a resource server does.
      introspection: { enabled: true, allowedPolicy: () => true },
      revocation: { enabled: true },
      resourceIndicators: { enabled: true, getResourceServerInfo: (_, resource) => resourceServer(resource) },
      dPoP: { enabled: true },
      mTLS: { enabled: true, certificateBoundAccessTokens: true, getCertificate: certificate },
    },
  });
  provider.on('server_error', (_, error) => console.error(error));
  return provider.callback();
};

let serve;
const listener = (request, response) => serve(request, response);
const plain = createServer(listener);
await new Promise((done) => plain.listen(Number(port), '127.0.0.1', done));
const issuer = `http://127.0.0.1:${plain.address().port}`;
const publish = () => {
  writeFileSync(`${keysFile}.new`, JSON.stringify(state), { mode: 0o600 });
  renameSync(`${keysFile}.new`, keysFile);
  serve = make(issuer);
};
publish();
const secure = createSecureServer(
  {
    cert: readFileSync(join(folder, 'tls.pem')),
    key: readFileSync(join(folder, 'tls-key.pem')),
    requestCert: true,
    rejectUnauthorized: false,
  },
  listener,
);
await new Promise((done) => secure.listen(Number(securePort), '127.0.0.1', done));

const commands = {
  announce() {
    state.number += 1;
    state.announced = makeKeys(state.number);
  },
  rotate() {
    if (state.announced.length === 0) this.announce();
    state = { number: state.number, signing: state.announced, announced: [], former: state.signing };
  },
  retire() {
    state = { ...state, announced: [], former: [] };
  },
};
console.log(`ready ${plain.address().port} ${secure.address().port}`);
for await (const line of createInterface({ input: process.stdin })) {
  commands[line.trim()]();
  publish();
  console.log(`${line.trim()} ${state.number}`);
}
process.exit(0);
