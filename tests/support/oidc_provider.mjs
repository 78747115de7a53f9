// A certified OpenID Connect server (panva/node-oidc-provider) as a bank's: PKCE S256 and pushed requests are
// required, refresh tokens rotate, and one that is shown twice ends the grant. Prints one line when it listens.
// Arguments: port, redirect URI. Run in the folder it is installed in.
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import path from 'node:path';

const require = createRequire(path.join(process.cwd(), 'package.json'));
const { default: Provider } = await import(pathToFileURL(require.resolve('oidc-provider')));

const [port, redirectUri] = process.argv.slice(2);
const issuer = `http://127.0.0.1:${port}`;

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: 'tellerline',
      client_secret: process.env.PROVIDER_CLIENT_SECRET,
      redirect_uris: [redirectUri],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'client_secret_basic',
    },
  ],
  scopes: ['openid', 'offline_access'],
  pkce: { required: () => true },
  features: {
    devInteractions: { enabled: true },
    pushedAuthorizationRequests: { enabled: true, requirePushedAuthorizationRequests: true },
    revocation: { enabled: true },
    introspection: { enabled: true },
  },
  issueRefreshToken: async () => true,
  rotateRefreshToken: true,
  cookies: { keys: [process.env.PROVIDER_CLIENT_SECRET] },
  ttl: { AccessToken: 600, AuthorizationCode: 60, RefreshToken: 3600, Session: 600, Interaction: 600, Grant: 3600, IdToken: 600 },
});

provider.listen(Number(port), '127.0.0.1', () => console.log('listening'));
