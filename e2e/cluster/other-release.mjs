// Loaded before a cluster process (`--import`), makes it one of another release: MILLRACE_TEST_VERSION is its version, MILLRACE_TEST_PROTOCOL its protocol.
import { register } from "node:module";

const { MILLRACE_TEST_VERSION: version, MILLRACE_TEST_PROTOCOL: protocol } = process.env;
const hooks = `
  const changes = [
    ["/rpc/millrace-version.js", /MILLRACE_VERSION = "[^"]*"/, ${JSON.stringify(`MILLRACE_VERSION = "${version}"`)}],
    ["/rpc/framed-connection.js", /RPC_PROTOCOL_VERSION = \\d+/, ${JSON.stringify(`RPC_PROTOCOL_VERSION = ${protocol}`)}],
  ];
  export async function load(url, context, next) {
    const loaded = await next(url, context);
    const change = changes.find(([file]) => url.endsWith(file));
    if (change === undefined) return loaded;
    const text = String(loaded.source);
    if (!change[1].test(text)) throw new Error(url + " is not as expected");
    return { ...loaded, source: text.replace(change[1], change[2]) };
  }
`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);
