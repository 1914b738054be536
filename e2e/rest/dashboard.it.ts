// Flink's own dashboard in a real browser, on the REST API of a real cluster: every page of it, without a failed request and without an exception.
import assert from "node:assert/strict";
import { readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { chromium, type Browser, type Page } from "playwright-core";
import { LocalCluster, until } from "../cluster/processes.js";
import { chromiumPath, flinkDashboard } from "./flink-dashboard.js";

const executablePath = chromiumPath();
const dashboard = executablePath === undefined ? undefined : flinkDashboard();
const missing = executablePath === undefined ? "there is no chromium" : dashboard === undefined ? "there is no flink-runtime-web" : undefined;
const skip = missing !== undefined && process.env["CI"] === undefined ? missing : false;
const job = fileURLToPath(new URL("./dashboard-job.ts", import.meta.url));

/** Far above any real duration: what a page never shows ends the test with what it does show. */
const PATIENCE_MS = 120_000;
/** What Flink's pages say of themselves when they are slow or left early: the library that draws graphs while they still move; a log that is there before its editor is. */
const ITS_OWN = [/SVGLength/, /Cannot read properties of (null|undefined) \(reading 'layout'\)/];

const settings = {
  "web.submit.enable": "true", "taskmanager.numberOfTaskSlots": "2", "rest.profiling.enabled": "true", "rest.flamegraph.enabled": "true", "rest.flamegraph.num-samples": "10",
  "rest.flamegraph.delay-between-samples": "20 ms", "rest.flamegraph.refresh-interval": "100 ms", "web.refresh-interval": "300 ms",
};

/** A page that notes what goes wrong on it. */
class WatchedPage {
  readonly page: Page;
  readonly problems: string[] = [];
  readonly #url: string;

  constructor(page: Page, url: string) {
    this.page = page;
    this.#url = url;
    page.setDefaultTimeout(PATIENCE_MS);
    page.on("pageerror", (error) => this.problems.push(`exception: ${error.message}`));
    page.on("response", (response) => {
      if (response.status() >= 400) this.problems.push(`${response.status()} ${response.request().method()} ${new URL(response.url()).pathname}`);
    });
    page.on("console", (message) => {
      if (message.type() === "error" && !ITS_OWN.some((pattern) => pattern.test(message.text()))) this.problems.push(`console: ${message.text()} ${message.location().url}`);
    });
  }

  /** Goes to a page of the dashboard and waits until it shows these texts. */
  async shows(path: string, ...texts: readonly (string | RegExp)[]): Promise<void> {
    await this.page.goto(`${this.#url}/#/${path}`);
    const end = Date.now() + PATIENCE_MS;
    for (const text of texts) {
      for (;;) {
        // Editors show every space as one that does not break.
        const shown = (await this.page.locator("body").innerText()).replaceAll("\u00a0", " ");
        if (typeof text === "string" ? shown.includes(text) : text.test(shown)) break;
        assert.ok(Date.now() < end, `${path} does not show ${text}: ${this.problems.join("; ")}\n${shown.slice(0, 2000)}`);
        await this.page.waitForTimeout(50);
      }
    }
    assert.deepEqual(this.problems, [], path);
  }
}

describe("Flink's dashboard", { skip }, () => {
  let cluster: LocalCluster;
  let browser: Browser;
  let jobId = "";
  let taskManager = "";
  let vertices: { readonly id: string; readonly name: string }[] = [];
  const get = async (path: string): Promise<any> => (await fetch(`${cluster.restUrl}${path}`)).json();

  before(async () => {
    assert.equal(missing, undefined);
    cluster = await LocalCluster.start(1, { ...settings, "web.dashboard.dir": dashboard! });
    browser = await chromium.launch({ executablePath: executablePath!, args: ["--no-sandbox"] });
    const { code, output } = await cluster.run("run", "-d", "-m", cluster.address, "-p", "2", job);
    assert.equal(code, 0, output);
    jobId = /JobID ([0-9a-f]{32})/.exec(output)![1]!;
    await until(async () => (await get(`/jobs/${jobId}/exceptions`)).exceptionHistory.entries.length > 0);
    await until(async () => (await get(`/jobs/${jobId}/checkpoints`)).counts.completed > 2);
    await until(async () => (await get(`/jobs/${jobId}`)).vertices.every(({ status }: { status: string }) => status === "RUNNING"));
    ({ vertices } = await get(`/jobs/${jobId}`));
    [{ id: taskManager }] = (await get("/taskmanagers")).taskmanagers;
  });
  after(async () => {
    await browser?.close();
    await cluster?.stop();
    if (dashboard !== undefined) rmSync(dirname(dashboard), { recursive: true, force: true });
  });

  const opened = async (): Promise<WatchedPage> => new WatchedPage(await browser.newPage(), cluster.restUrl);
  /** In a newer dashboard jobs are below their application, whose id is theirs. */
  const jobPage = (path: string): string => `job/running/${jobId}/${path}`;

  test("overview and lists of jobs", async () => {
    const page = await opened();
    await page.shows("overview", "Available Task Slots", "dashboard job", "RUNNING");
    await page.shows("job/running", "dashboard job");
    await page.shows("job/completed", /Completed Jobs?/i);
    await page.page.close();
  });

  test("a running job: graph, timeline, exceptions, checkpoints, configuration", async () => {
    const page = await opened();
    await page.shows(jobPage("overview"), "dashboard job", /numbers/, /counting/, "Records Received");
    await page.shows(jobPage("timeline"), /numbers/);
    await page.shows(jobPage("exceptions"), /failed once/);
    await page.shows(jobPage("checkpoints"), "Completed", "Checkpoint Counts");
    await page.shows(jobPage("configuration"), /fixed-delay/);
    await page.page.close();
  });

  test("a vertex: detail, subtasks, TaskManagers, watermarks, accumulators, back pressure, metrics, flame graph", async () => {
    const page = await opened();
    const counting = vertices.find(({ name }) => name.includes("counting"))!;
    const vertex = (tab: string): string => jobPage(`overview/${counting.id}/${tab}`);
    await page.shows(vertex("detail"), /counting/);
    await page.shows(vertex("subtasks"), "RUNNING", "Records Received");
    await page.shows(vertex("taskmanagers"), /127\.0\.0\.1|localhost/);
    await page.shows(vertex("watermarks"), /\d{4}-\d\d-\d\d/);
    await page.shows(vertex("accumulators"), "counted");
    await page.shows(vertex("backpressure"), "OK");
    await page.shows(vertex("metrics"), /metric/i);
    await page.shows(vertex("flamegraph"), "On-CPU");
    await page.page.close();
  });

  test("TaskManagers: metrics, logs, standard output, list of logs, thread dump", async () => {
    const page = await opened();
    const of = (tab: string): string => `task-manager/${taskManager}/${tab}`;
    await page.shows("task-manager", taskManager);
    await page.shows(of("metrics"), "Memory", "Garbage Collection");
    await page.shows(of("logs"), /registered at the JobManager/);
    await page.shows(of("stdout"), /first value/);
    await page.shows(of("log-list"), /millrace-.*\.log/);
    await page.shows(of("thread-dump"), /"slot \d of dashboard job/);
    await page.shows(of("profiler"));
    await page.page.close();
  });

  test("the profiler: what the page starts can be saved there, and the file shows itself", async () => {
    const page = await opened();
    await page.shows("job-manager/profiler", "Create Profiling Instance");
    await page.page.locator("nz-input-number input").fill("1");
    await page.page.getByRole("button", { name: "Create Profiling Instance" }).click();
    await page.shows("job-manager/profiler", "FINISHED", /JobManager_ITIMER_[\d_-]+\.html/);
    const saving = page.page.waitForEvent("download");
    await page.page.locator("a", { hasText: "JobManager_ITIMER" }).first().click();
    const saved = readFileSync(await (await saving).path(), "utf8");
    await page.page.close();
    const shown = new WatchedPage(await browser.newPage(), cluster.restUrl);
    await shown.page.setContent(saved);
    await shown.page.locator("#graph div", { hasText: "(root)" }).first().waitFor();
    const boxes = shown.page.locator("#graph div");
    const before = await boxes.count();
    assert.ok(before > 3);
    await boxes.nth(2).click();
    assert.ok((await boxes.count()) <= before);
    await shown.page.locator("#search").fill("a");
    assert.match(await shown.page.locator("#matched").innerText(), /^matched: [\d,]+ samples, /);
    const profile = shown.page.waitForEvent("download");
    await shown.page.locator("#save").click();
    assert.match((await profile).suggestedFilename(), /^JobManager_ITIMER_[\d_-]+_.*\.cpuprofile$/);
    assert.deepEqual(shown.problems, []);
    await shown.page.close();
  });

  test("the JobManager: configuration, metrics, logs, standard output, list of logs, thread dump", async () => {
    const page = await opened();
    await page.shows("job-manager/config", "web.submit.enable");
    await page.shows("job-manager/metrics", /JVM|Heap/);
    await page.shows("job-manager/logs", /JobManager listens on/);
    await page.shows("job-manager/stdout");
    await page.shows("job-manager/log", /millrace-.*\.log/);
    await page.shows("job-manager/thread-dump", /"main"/);
    await page.shows("job-manager/profiler");
    await page.page.close();
  });

  test("a bundle is uploaded and run through the page", async () => {
    const bundle = join(cluster.directory, "from-browser.mjs");
    const { code, output } = await cluster.run("bundle", job, "-o", bundle);
    assert.equal(code, 0, output);
    const page = await opened();
    await page.shows("submit", /Uploaded Jars|Add New/);
    await page.page.locator('input[type="file"]').setInputFiles(bundle);
    await page.shows("submit", "from-browser.mjs");
    await page.page.locator("td", { hasText: "from-browser.mjs" }).first().click();
    await page.page.getByRole("button", { name: "Submit", exact: true }).click();
    await page.page.waitForURL(/#\/job\/running\/[0-9a-f]{32}/);
    const [started] = /[0-9a-f]{32}/.exec(page.page.url())!;
    assert.notEqual(started, jobId);
    assert.equal((await fetch(`${cluster.restUrl}/jobs/${started}`, { method: "PATCH" })).status, 202);
    assert.deepEqual(page.problems, []);
    await page.page.close();
  });

  test("a job that is cancelled through the page is shown among those that have ended", async () => {
    const page = await opened();
    await page.shows(jobPage("overview"), "Cancel Job");
    await page.page.locator("a[nz-popconfirm]").click();
    await page.page.locator(".ant-popover button.ant-btn-primary").click();
    await until(async () => (await get(`/jobs/${jobId}`)).state === "CANCELED");
    await page.shows(`job/completed/${jobId}/overview`, "dashboard job", "CANCELED");
    await page.page.close();
  });
});

describe("Flink's dashboard behind a login", { skip }, () => {
  let cluster: LocalCluster;
  let browser: Browser;
  let token = "";
  let web: string | undefined;
  before(async () => {
    assert.equal(missing, undefined);
    web = flinkDashboard()!;
    cluster = await LocalCluster.start(1, settings, async (made) => {
      const tokens = join(made.directory, "tokens");
      token = (await made.run("token", "me", "--role", "operator", "--file", tokens)).output.split(/\n/).find((line) => /^\S{20,}$/.test(line))!;
      return { "web.dashboard.dir": web!, "security.rest.tokens-file": tokens };
    });
  });
  after(async () => {
    await browser?.close();
    await cluster?.stop();
    if (web !== undefined) rmSync(dirname(web), { recursive: true, force: true });
  });

  test("the login page leads to the dashboard, which then shows everything", async () => {
    browser = await chromium.launch({ executablePath: executablePath!, args: ["--no-sandbox"] });
    const page = new WatchedPage(await browser.newPage(), cluster.restUrl);
    await page.page.goto(cluster.restUrl);
    await page.page.waitForURL(/\/login$/);
    await page.page.locator('input[name="token"]').fill(token);
    await page.page.locator("button, input[type=submit]").first().click();
    await page.shows("overview", "Available Task Slots");
    await page.shows("job-manager/config", "web.submit.enable");
  });
});
