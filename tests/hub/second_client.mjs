// Reads a repository with the Hub's JavaScript client: lists its files, downloads each, prints one line of JSON.
//
//     HUB_CLIENT=…/node_modules/@huggingface/hub/dist/index.mjs node second_client.mjs URL REPO REVISION [TOKEN]

import { createHash } from "node:crypto";
import { pathToFileURL } from "node:url";

const { downloadFile, listFiles } = await import(pathToFileURL(process.env.HUB_CLIENT));
const [hubUrl, name, revision, accessToken] = process.argv.slice(2);
const common = { repo: { type: "model", name }, revision, hubUrl, accessToken };

const found = {};
for await (const file of listFiles({ ...common, recursive: true })) {
  if (file.type !== "file") continue;
  const blob = await downloadFile({ ...common, path: file.path, xet: false });
  const content = new Uint8Array(await blob.arrayBuffer());
  const sha256 = createHash("sha256").update(content).digest("hex");
  found[file.path] = { size: file.size, sha256, listed: file.lfs?.oid ?? null };
}
console.log(JSON.stringify(found));
