// A component that is drawn again only when one of the named properties is another value.
import { html, Component, h } from "/lib/preact.js";

export { html };

export function memo(draw, names) {
  return class extends Component {
    shouldComponentUpdate(next) {
      return names.some((name) => !Object.is(next[name], this.props[name]));
    }

    render(props) {
      return h(draw, props);
    }
  };
}
