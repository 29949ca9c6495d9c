// Runs before the scripts of a measured page: when was Ring pressed, what did the server say when,
// when did decoded pictures come. The same for the product and for the reference.
(() => {
  const bench = { stamps: {}, frames: 0, first: null, last: null, presses: [], firsts: [] };
  window.bench = bench;
  const stamp = (name) => {
    if (bench.stamps[name] === undefined) bench.stamps[name] = performance.now();
  };

  addEventListener("click", (event) => {
    const pressed = event.isTrusted && event.target instanceof Element && event.target.closest("[data-test=ring]");
    // The press itself, not the moment its handlers ran.
    if (pressed && bench.stamps.pressed === undefined) bench.stamps.pressed = event.timeStamp;
  }, true);

  // A round: each press that turns to the next home.
  addEventListener("click", (event) => {
    if (event.target instanceof Element && event.target.closest("[data-test=begin-round]")) bench.presses.push(event.timeStamp);
  }, true);
  addEventListener("keydown", (event) => { if (event.key === "1") bench.presses.push(event.timeStamp); }, true);

  const Socket = window.WebSocket;
  window.WebSocket = class extends Socket {
    constructor(...given) {
      super(...given);
      this.addEventListener("message", (event) => {
        const frame = JSON.parse(event.data);
        if (frame.type === "call") stamp(`call ${frame.state}`);
      });
    }
  };

  const read = async (track) => {
    const reader = new MediaStreamTrackProcessor({ track }).readable.getReader();
    let isFirst = true;
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      bench.last = performance.now();
      if (bench.first === null) bench.first = bench.last;
      if (isFirst) bench.firsts.push(bench.last);
      isFirst = false;
      bench.frames += 1;
      value.close();
    }
  };

  const Peer = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Peer {
    constructor(...given) {
      super(...given);
      this.addEventListener("track", (event) => { if (event.track.kind === "video") read(event.track); });
      this.addEventListener("connectionstatechange", () => { if (this.connectionState === "connected") stamp("connected"); });
    }

    async setLocalDescription(...given) {
      await super.setLocalDescription(...given);
      stamp("offer made");
    }

    async setRemoteDescription(...given) {
      stamp("answer came");
      await super.setRemoteDescription(...given);
    }
  };
})();
