setInterval(() => undefined, 50);
await new Promise(() => undefined);

export const planned = false;
