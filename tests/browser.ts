/** A real headless browser, driven by the DevTools protocol, for tests of pages. */

/** Where Chromium may be found, as the systems' packages call it. */
const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/** The command of a Chromium on this machine, told by SASNET_CHROMIUM or found; `undefined` where there is none. */
export async function findChromium(): Promise<string | undefined> {
  for (const name of [Deno.env.get("SASNET_CHROMIUM") ?? [], names].flat()) {
    const command = new Deno.Command(name, { args: ["--version"], stdout: "null", stderr: "null" });
    if ((await command.output().catch(() => undefined))?.success) return name;
  }
  return undefined;
}

/** An open page. */
export interface BrowserPage {
  /** The value of an expression in the page; a promise is waited for. */
  evaluate<T>(expression: string): Promise<T>;
  /** A PNG of the window. */
  screenshot(): Promise<Uint8Array>;
}

/** What the page asked for from anywhere but the disk, and what it complained about. */
export interface PageTrouble {
  readonly requests: readonly string[];
  readonly errors: readonly string[];
}

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Record<string, never>;
  readonly result?: Record<string, never>;
  readonly error?: { readonly message: string };
}

/** Opens a page of a file, hands it to `use`, and ends the browser. */
export async function withPage(
  chromium: string,
  path: string,
  use: (page: BrowserPage) => Promise<void>,
): Promise<PageTrouble> {
  const profile = await Deno.makeTempDir();
  const browser = new Deno.Command(chromium, {
    args: [
      ...["--headless", "--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"],
      ...["--ignore-gpu-blocklist", "--window-size=1500,1050", "--remote-debugging-port=0"],
      ...[`--user-data-dir=${profile}`, "about:blank"],
    ],
    stdout: "null",
    stderr: "piped",
  }).spawn();
  try {
    const address = await addressOf(browser.stderr);
    const { socket, send, listen } = await connect(address);
    try {
      return await drive({ send, listen }, path, use);
    } finally {
      // The command may be a script that started the browser: to kill it alone would leave the browser behind.
      await send("Browser.close");
      socket.close();
      await browser.status;
    }
  } finally {
    try {
      browser.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await browser.status;
    await Deno.remove(profile, { recursive: true }).catch(() => {});
  }
}

/** The browser prints where it listens; the rest of what it prints is let go. */
async function addressOf(stream: ReadableStream<Uint8Array>): Promise<string> {
  const [head, rest] = stream.tee();
  rest.pipeTo(new WritableStream()).catch(() => {});
  let text = "";
  for await (const chunk of head.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    const found = /DevTools listening on (ws:\S+)/.exec(text);
    if (found !== null) return found[1];
  }
  throw new Error(`the browser does not start: ${text.trim()}`);
}

type Send = (method: string, params?: object, session?: string) => Promise<Record<string, never>>;
type Listen = (listener: (message: Message) => void) => void;

async function connect(address: string): Promise<{ socket: WebSocket; send: Send; listen: Listen }> {
  const socket = new WebSocket(address);
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = () => reject(new Error(`no connection to ${address}`));
  });
  const waiting = new Map<number, (message: Message) => void>();
  const listeners: ((message: Message) => void)[] = [];
  socket.onmessage = ({ data }) => {
    const message: Message = JSON.parse(data);
    if (message.id !== undefined) waiting.get(message.id)?.(message);
    else listeners.forEach((listener) => listener(message));
  };
  let last = 0;
  const send: Send = (method, params = {}, sessionId) =>
    new Promise((resolve, reject) => {
      const id = ++last;
      waiting.set(id, ({ result, error }) => {
        waiting.delete(id);
        if (error !== undefined) reject(new Error(`${method}: ${error.message}`));
        else resolve(result!);
      });
      socket.send(JSON.stringify({ id, method, params, ...(sessionId && { sessionId }) }));
    });
  return { socket, send, listen: (listener) => listeners.push(listener) };
}

async function drive(
  { send, listen }: { send: Send; listen: Listen },
  path: string,
  use: (page: BrowserPage) => Promise<void>,
): Promise<PageTrouble> {
  const requests: string[] = [];
  const errors: string[] = [];
  listen(({ method, params }) => {
    if (method === "Network.requestWillBeSent") {
      const { url } = (params as unknown as { request: { url: string } }).request;
      if (/^(https?|wss?):/.test(url)) requests.push(url);
    }
    if (method === "Runtime.exceptionThrown") errors.push(JSON.stringify(params));
  });
  const { targetId } = await send("Target.createTarget", { url: "about:blank" });
  const { sessionId } = await send("Target.attachToTarget", { targetId, flatten: true });
  for (const domain of ["Page", "Network", "Runtime"]) await send(`${domain}.enable`, {}, sessionId);
  await send("Page.navigate", { url: `file://${path}` }, sessionId);
  await use({
    async evaluate(expression) {
      const options = { expression, awaitPromise: true, returnByValue: true };
      const { result, exceptionDetails } = await send("Runtime.evaluate", options, sessionId) as unknown as {
        result: { value: never };
        exceptionDetails?: { text: string };
      };
      if (exceptionDetails !== undefined) throw new Error(`${expression}: ${exceptionDetails.text}`);
      return result.value;
    },
    async screenshot() {
      const { data } = await send("Page.captureScreenshot", { format: "png" }, sessionId);
      return Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
    },
  });
  return { requests, errors };
}
