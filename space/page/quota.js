/** Whose time a GPU of ZeroGPU takes: huggingface.co, which frames the page, says it in headers when it is asked. */

const OFFER = "supports-zerogpu-headers";
const ASK = "zerogpu-headers";
const PATIENCE = 2; // seconds; without an answer the visitor counts as nobody in particular
const FRAME = location.hostname.endsWith(".hf.space") && parent !== window ? "https://huggingface.co" : null;

let offered = false;

if (FRAME) {
  addEventListener("message", ({ data, origin }) => {
    offered ||= origin === FRAME && data === OFFER;
  });
  parent.postMessage(OFFER, FRAME);
}

/** Headers for a call that may take a GPU; none outside of such a frame. */
export async function quotaHeaders() {
  if (!offered) return {};
  const { port1, port2 } = new MessageChannel();
  const answer = new Promise((resolve) => {
    port1.onmessage = ({ data }) => resolve(data ?? {});
    setTimeout(resolve, PATIENCE * 1000, {});
  });
  parent.postMessage(ASK, FRAME, [port2]);
  try {
    return await answer;
  } finally {
    port1.close();
  }
}
