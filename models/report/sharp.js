"use strict";
// Paper takes a canvas as it was drawn, so charts are drawn with two pixels in each direction also where the screen has one.
if (devicePixelRatio < 2) Object.defineProperty(window, "devicePixelRatio", { value: 2, configurable: true });
