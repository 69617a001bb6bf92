// GraphiQL as one of the seeded users: a token is fetched for the chosen user, and again when it has expired.
const user = document.getElementById('user');
const state = document.getElementById('state');
let token = null;

async function signIn() {
  const response = await fetch('/sign-in', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ username: user.value }),
  });
  const body = await response.json();
  token = body.idToken ?? null;
  state.textContent = token ? '' : `Sign-in failed: ${body.errors?.[0]?.message ?? response.status}`;
}

async function send(request) {
  return fetch('/graphql', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Authorization: token ?? '' },
    body: JSON.stringify(request),
  });
}

async function fetcher(request) {
  if (!token) await signIn();
  let response = await send(request);
  if (response.status === 401) {
    await signIn();
    response = await send(request);
  }
  return response.json();
}

user.addEventListener('change', signIn);

const firstQuery = `# The API of the local runtime. Choose above as whom you call it.
query {
  listAvailableModels {
    baseModels { id name label minimumRecords }
    customModels { id name status }
  }
}
`;

ReactDOM.createRoot(document.getElementById('graphiql')).render(
  React.createElement(GraphiQL, { fetcher, defaultQuery: firstQuery }),
);
