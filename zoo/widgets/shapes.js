// The marks of classes: corners of a shape within a circle of radius 1.
const SHAPES = {
  // corners, radius of the corners between them, turn in eighths of a circle
  circle: [24, 1, 0], square: [4, 1, 1], diamond: [4, 1, 0], cross: [4, 0.4, 0], x: [4, 0.4, 1], star: [5, 0.45, 0],
  "triangle-up": [3, 1, 0], "triangle-down": [3, 1, 4], pentagon: [5, 1, 0], hexagram: [6, 0.6, 0],
};

function corners(symbol) {
  const [count, inner, turn] = SHAPES[symbol], all = inner < 1 ? 2 * count : count;
  return Array.from({ length: all }, (_, i) => {
    const angle = (2 * Math.PI * i) / all + (turn * Math.PI) / 4 - Math.PI / 2, radius = i % 2 && inner < 1 ? inner : 1;
    return [radius * Math.cos(angle), radius * Math.sin(angle)];
  });
}
