// A client on matrix-js-sdk, with its cryptography in Rust, that talks to a bot and verifies it. The Go test beside it
// starts it with the account in the environment, reads what it finds out as lines of JSON, and steers it by words on
// its standard input. What goes wrong is on standard error, and in the exit status.

import { createInterface } from "node:readline";
import * as sdk from "matrix-js-sdk";
import { CryptoEvent, VerificationPhase, VerificationRequestEvent, VerifierEvent } from "matrix-js-sdk/lib/crypto-api/index.js";
import { logger } from "matrix-js-sdk/lib/logger.js";

const patience = 45_000; // Milliseconds that each step may take

const { HOMESERVER, USER, DEVICE, TOKEN, BOT, BOT_DEVICE, PART } = process.env;

logger.setLevel(process.env.VERBOSE ? "debug" : "silent", false);
if (!process.env.VERBOSE) {
    // Parts of it log past the logger.
    for (const level of ["debug", "error", "info", "log", "warn", "trace"]) console[level] = () => {};
}

const words = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

function tell(step, facts = {}) {
    process.stdout.write(JSON.stringify({ step, ...facts }) + "\n");
}

async function next() {
    const { value, done } = await words.next();
    if (done) throw new Error("told nothing more");
    return value;
}

async function told(want) {
    const value = await next();
    if (value !== want) throw new Error(`told ${JSON.stringify(value)}, want ${want}`);
}

function within(what, promise) {
    let timer;
    const late = new Promise((_, reject) => {
        timer = setTimeout(() => reject(new Error(`${what} did not come in time`)), patience);
    });
    return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

// until waits for an event of an emitter whose arguments satisfy the condition.
function until(what, emitter, name, condition) {
    return within(what, new Promise((resolve) => {
        const listen = (...args) => {
            if (!condition(...args)) return;
            emitter.off(name, listen);
            resolve(args);
        };
        emitter.on(name, listen);
    }));
}

// message waits for the bot's next message that can be read and satisfies the condition.
async function message(what, condition) {
    const found = (event) => event.getSender() === BOT && event.getType() === "m.room.message" && condition(event);
    return within(what, new Promise((resolve) => {
        const listen = (event) => {
            if (!found(event)) return;
            client.off(sdk.MatrixEventEvent.Decrypted, listen);
            client.off(sdk.ClientEvent.Event, listen);
            resolve(event);
        };
        client.on(sdk.MatrixEventEvent.Decrypted, listen);
        client.on(sdk.ClientEvent.Event, listen);
    }));
}

async function ask(room, text) {
    const answer = message(`the answer to ${text}`, (event) => event.getContent()["m.relates_to"]?.["m.in_reply_to"]);
    await client.sendMessage(room, { msgtype: "m.text", body: text });
    const event = await answer;
    const info = await crypto.getEncryptionInfoForEvent(event);
    tell("answer", {
        body: event.getContent().body, encrypted: event.isEncrypted(),
        shield: info?.shieldColour ?? null, reason: info?.shieldReason ?? null,
    });
}

// trust tells the client's own judgement of the bot's device.
async function trust(verified) {
    await crypto.getUserDeviceInfo([BOT], true);
    if (verified && !(await crypto.getUserVerificationStatus(BOT)).isCrossSigningVerified()) {
        // The client's signature comes back to it by the server.
        await until("the trust", client, CryptoEvent.UserTrustStatusChanged,
            (user, status) => user === BOT && status.isCrossSigningVerified());
    }
    const status = await crypto.getDeviceVerificationStatus(BOT, BOT_DEVICE);
    const user = await crypto.getUserVerificationStatus(BOT);
    tell("trust", {
        signedByOwner: status?.signedByOwner ?? false,
        crossSigningVerified: status?.crossSigningVerified ?? false,
        userVerified: user.isCrossSigningVerified(),
    });
}

// compare goes through the emoji, which the Go test has compared with the bot's.
async function compare(request) {
    if (request.phase !== VerificationPhase.Started) {
        await until("the start", request, VerificationRequestEvent.Change, () => request.verifier !== undefined);
    }
    const verifier = request.verifier;
    const shown = verifier.getShowSasCallbacks() ??
        (until("the emoji", verifier, VerifierEvent.ShowSas, () => true)).then(([sas]) => sas);
    const done = verifier.verify();
    const sas = await within("the emoji", Promise.race([shown, done.then(() => { throw new Error("no emoji"); })]));
    tell("emoji", { emoji: sas.sas.emoji.map(([symbol]) => symbol) });
    await told("match");
    await sas.confirm();
    tell("confirmed");
    await ended(request, done);
}

// ended waits for both sides to be done.
async function ended(request, done) {
    await within("the end of the verification", done);
    if (request.phase !== VerificationPhase.Done) {
        await until("the other side's end", request, VerificationRequestEvent.Change,
            () => request.phase === VerificationPhase.Done);
    }
    tell("verified");
}

// ready asks the bot to verify, and waits for its answer.
async function ready(asking) {
    const request = await asking;
    if (request.phase !== VerificationPhase.Ready) {
        await until("the bot's readiness", request, VerificationRequestEvent.Change,
            () => request.phase === VerificationPhase.Ready);
    }
    return request;
}

const methods = {
    emoji: ["m.sas.v1"],
    codes: ["m.sas.v1", "m.qr_code.show.v1", "m.qr_code.scan.v1", "m.reciprocate.v1"],
};

const client = sdk.createClient({
    baseUrl: HOMESERVER, userId: USER, deviceId: DEVICE, accessToken: TOKEN, verificationMethods: methods[PART],
});

let crypto;

async function main() {
    await client.initRustCrypto({ useIndexedDB: false });
    crypto = client.getCrypto();
    const synced = until("the first sync", client, sdk.ClientEvent.Sync, (state) => state === "PREPARED");
    await client.startClient({ initialSyncLimit: 20 });
    await synced;
    await crypto.bootstrapCrossSigning({ authUploadDeviceSigningKeys: (request) => request(null) });

    const joined = until("the bot's join", client, sdk.RoomMemberEvent.Membership,
        (event, member) => member.userId === BOT && member.membership === "join");
    const { room_id: room } = await client.createRoom({
        preset: "private_chat", invite: [BOT],
        initial_state: [{ type: "m.room.encryption", state_key: "", content: { algorithm: "m.megolm.v1.aes-sha2" } }],
    });
    await joined;
    tell("room", { room });

    await ask(room, "!ping");
    await trust(false);
    await { emoji, codes }[PART](room);
    await told("leave");
}

// emoji verifies by emoji, asked by either side.
async function emoji(room) {
    await told("verify");
    const request = await ready(crypto.requestVerificationDM(BOT, room));
    await request.startVerification("m.sas.v1");
    await compare(request);
    await trust(true);
    await ask(room, "!ping");

    // The other way: the bot asks.
    const asked = until("the bot's request", client, CryptoEvent.VerificationRequestReceived,
        (request) => request.otherUserId === BOT);
    tell("listening");
    const [theirs] = await asked;
    await theirs.accept();
    await compare(theirs);

    await told("to-device");
    const direct = await ready(crypto.requestDeviceVerification(BOT, BOT_DEVICE));
    await direct.startVerification("m.sas.v1");
    await compare(direct);

    await told("cancel");
    const given = await ready(crypto.requestVerificationDM(BOT, room));
    await given.cancel();
    tell("cancelled");

    await told("vote");
    const vote = { "m.relates_to": { rel_type: "m.reference", event_id: await next() } };
    vote["org.matrix.msc3381.poll.response"] = { answers: ["2"] };
    await client.sendEvent(room, "org.matrix.msc3381.poll.response", vote);
}

// codes verifies by QR codes, shown by either side.
async function codes(room) {
    await told("show");
    const shown = await ready(crypto.requestVerificationDM(BOT, room));
    const code = await within("a code to show", shown.generateQRCode());
    tell("code", { code: Buffer.from(code).toString("base64") });
    if (shown.phase !== VerificationPhase.Started) {
        await until("the scan", shown, VerificationRequestEvent.Change, () => shown.phase === VerificationPhase.Started);
    }
    const verifier = shown.verifier;
    const done = verifier.verify();
    const callbacks = verifier.getReciprocateQrCodeCallbacks();
    callbacks.confirm();
    await ended(shown, done);
    await trust(true);

    await told("scan");
    const scanned = await ready(crypto.requestVerificationDM(BOT, room));
    tell("ready");
    const reader = await scanned.scanQRCode(new Uint8ClampedArray(Buffer.from(await next(), "base64")));
    await ended(scanned, reader.verify());
}

try {
    await main();
    client.stopClient();
    process.exit(0);
} catch (err) {
    process.stderr.write(`${err.stack ?? err}\n`);
    process.exit(1);
}
