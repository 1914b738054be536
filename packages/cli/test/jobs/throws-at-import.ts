import "millrace";

throw new Error("not today");
