for (;;) await new Promise((resolve) => setTimeout(resolve, 50));

export const planned = false;
