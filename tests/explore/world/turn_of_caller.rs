//! A deliberate mistake: the caller that brought a refresh about takes it along when it leaves.

use keyhole_core::{
    box_api::Unreachable,
    keeper::{CallerId, Effect},
};

use super::{Cargo, Flight, Lawful, World};
use crate::{asked::Asked, instance::Gated, moves::CallName, twist::Twist};

impl World {
    pub(super) fn note_refresher(&mut self, number: u64, caller: CallerId) {
        let refresh = |(name, flight): (&CallName, &Flight)| match &flight.cargo {
            Cargo::Box(asked) if name.0 == number && asked.is_refresh() && !flight.ghost => Some(*name),
            _ => None,
        };
        let gated = |effect: &Gated| match effect {
            Gated::Out(Effect::AskBox { call, request, .. }) => Asked::read(request)
                .is_some_and(|asked| asked.is_refresh())
                .then_some(CallName(number, call.0)),
            _ => None,
        };
        let flying = self.flights.iter().find_map(refresh);
        if let Some(instance) = self.instance(number)
            && instance.refresher.is_none()
        {
            let found = flying.or_else(|| instance.gate.iter().find_map(gated));
            instance.refresher = found.map(|name| (caller, name));
        }
    }

    pub(super) fn let_go(&mut self, number: u64, caller: CallerId) -> Lawful<()> {
        if self.stage.twist != Twist::TurnHeldByCaller {
            return Ok(());
        }
        let held = self.instance(number).and_then(|instance| instance.refresher);
        if let Some((_, name)) = held.filter(|(owner, _)| *owner == caller)
            && let Some(flight) = self.flights.get_mut(&name)
        {
            flight.let_go = true;
            self.lose(name, Unreachable::Broken)?;
        }
        Ok(())
    }
}
