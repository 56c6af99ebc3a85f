//! When noise and alerts happen: environment and configuration file only.
//!
//! clap reads them like flags, but they are none: there are too many, and few need them.

use clap::Args;

use crate::error::{Error, Result};
use crate::plan::config::{AlertWeights, Config, NoiseWeights, parse_offset};
use crate::plan::ratio::parts_per_million;

/// What `--help` says of them.
pub const HELP: &str = "\
Environment, or the file of --config in lower case:
  NOISE_TZ_OFFSET       hours east of UTC that working hours are in [0]
  NOISE_DAY_WEIGHT      noise on working days 08-18, with --noise-seasonality [5]
  NOISE_MAINT_WEIGHT    at night 01-04 and on Sunday 22-24 [4]
  NOISE_WEEKEND_WEIGHT  at weekends [0.4]
  NOISE_EARLY_WEIGHT    05-07 [0.3]
  NOISE_DEFAULT_WEIGHT  else [1.2]
  ALERT_NIGHT_WEIGHT    alerts 22-06, with --noise-seasonality [6]
  ALERT_EVENING_WEIGHT  18-22 [4]
  ALERT_WEEKEND_WEIGHT  at weekends [3]
  ALERT_DAY_WEIGHT      on working days 08-18 [0.4]
  ALERT_DEFAULT_WEIGHT  else [1]
  NOISE_HOURLY_WEIGHTS, ALERT_HOURLY_WEIGHTS
                        24 weights by hour of the day, instead of all these";

/// Calendar settings.
#[derive(Debug, Args)]
pub struct Hours {
    #[arg(
        long,
        env = "NOISE_TZ_OFFSET",
        hide = true,
        value_name = "HOURS",
        allow_hyphen_values = true
    )]
    noise_tz_offset: Option<String>,
    #[arg(
        long,
        env = "NOISE_DAY_WEIGHT",
        hide = true,
        value_name = "W",
        allow_hyphen_values = true
    )]
    noise_day_weight: Option<String>,
    #[arg(
        long,
        env = "NOISE_MAINT_WEIGHT",
        hide = true,
        value_name = "W",
        allow_hyphen_values = true
    )]
    noise_maint_weight: Option<String>,
    #[arg(
        long,
        env = "NOISE_WEEKEND_WEIGHT",
        hide = true,
        value_name = "W",
        allow_hyphen_values = true
    )]
    noise_weekend_weight: Option<String>,
    #[arg(
        long,
        env = "NOISE_EARLY_WEIGHT",
        hide = true,
        value_name = "W",
        allow_hyphen_values = true
    )]
    noise_early_weight: Option<String>,
    #[arg(
        long,
        env = "NOISE_DEFAULT_WEIGHT",
        hide = true,
        value_name = "W",
        allow_hyphen_values = true
    )]
    noise_default_weight: Option<String>,
    #[arg(
        long,
        env = "ALERT_NIGHT_WEIGHT",
        hide = true,
        value_name = "W",
        allow_hyphen_values = true
    )]
    alert_night_weight: Option<String>,
    #[arg(
        long,
        env = "ALERT_EVENING_WEIGHT",
        hide = true,
        value_name = "W",
        allow_hyphen_values = true
    )]
    alert_evening_weight: Option<String>,
    #[arg(
        long,
        env = "ALERT_WEEKEND_WEIGHT",
        hide = true,
        value_name = "W",
        allow_hyphen_values = true
    )]
    alert_weekend_weight: Option<String>,
    #[arg(
        long,
        env = "ALERT_DAY_WEIGHT",
        hide = true,
        value_name = "W",
        allow_hyphen_values = true
    )]
    alert_day_weight: Option<String>,
    #[arg(
        long,
        env = "ALERT_DEFAULT_WEIGHT",
        hide = true,
        value_name = "W",
        allow_hyphen_values = true
    )]
    alert_default_weight: Option<String>,
    #[arg(
        long,
        env = "NOISE_HOURLY_WEIGHTS",
        hide = true,
        value_name = "W",
        allow_hyphen_values = true,
        value_delimiter = ','
    )]
    noise_hourly_weights: Vec<String>,
    #[arg(
        long,
        env = "ALERT_HOURLY_WEIGHTS",
        hide = true,
        value_name = "W",
        allow_hyphen_values = true,
        value_delimiter = ','
    )]
    alert_hourly_weights: Vec<String>,
}

fn weight(flag: &str, text: Option<&String>, default: u64) -> Result<u64> {
    let Some(text) = text else { return Ok(default) };
    parts_per_million(text)
        .map_err(|problem| Error::setting(flag, problem, "give a weight such as 4 or 0.3"))
}

/// Twenty-four weights, from midnight on; commas, spaces and brackets may stand around them.
fn hours(flag: &str, texts: &[String]) -> Result<Option<[u64; 24]>> {
    let all = texts.join(",");
    let numbers: Vec<&str> = all
        .split(|c: char| c.is_whitespace() || ",;[]".contains(c))
        .filter(|t| !t.is_empty())
        .collect();
    if texts.is_empty() {
        return Ok(None);
    }
    let remedy = "give 24 weights, one for each hour from midnight, such as 1,1,1,0.5,…";
    if numbers.len() != 24 {
        let problem = format!("there are {} weights, a day has 24 hours", numbers.len());
        return Err(Error::setting(flag, problem, remedy));
    }
    let mut weights = [0; 24];
    for (hour, (weight, text)) in weights.iter_mut().zip(numbers).enumerate() {
        *weight = parts_per_million(text)
            .map_err(|problem| Error::setting(flag, format!("hour {hour}: {problem}"), remedy))?;
    }
    Ok(Some(weights))
}

impl Hours {
    /// Sets the calendar of `config`.
    ///
    /// # Errors
    /// A value that is no weight or no offset.
    pub fn apply(&self, config: &mut Config) -> Result<()> {
        if let Some(text) = &self.noise_tz_offset {
            config.time_zone_offset = parse_offset(text).map_err(|problem| {
                let remedy = "give hours east of UTC, such as 2, -5 or +05:30";
                Error::setting("--noise-tz-offset", problem, remedy)
            })?;
        }
        let NoiseWeights {
            day,
            maintenance,
            weekend,
            early,
            default,
        } = &mut config.noise_weights;
        for (flag, text, value) in [
            ("--noise-day-weight", &self.noise_day_weight, day),
            (
                "--noise-maint-weight",
                &self.noise_maint_weight,
                maintenance,
            ),
            (
                "--noise-weekend-weight",
                &self.noise_weekend_weight,
                weekend,
            ),
            ("--noise-early-weight", &self.noise_early_weight, early),
            (
                "--noise-default-weight",
                &self.noise_default_weight,
                default,
            ),
        ] {
            *value = weight(flag, text.as_ref(), *value)?;
        }
        let AlertWeights {
            night,
            evening,
            weekend,
            day,
            default,
        } = &mut config.alert_weights;
        for (flag, text, value) in [
            ("--alert-night-weight", &self.alert_night_weight, night),
            (
                "--alert-evening-weight",
                &self.alert_evening_weight,
                evening,
            ),
            (
                "--alert-weekend-weight",
                &self.alert_weekend_weight,
                weekend,
            ),
            ("--alert-day-weight", &self.alert_day_weight, day),
            (
                "--alert-default-weight",
                &self.alert_default_weight,
                default,
            ),
        ] {
            *value = weight(flag, text.as_ref(), *value)?;
        }
        config.noise_hours = hours("--noise-hourly-weights", &self.noise_hourly_weights)?;
        config.alert_hours = hours("--alert-hourly-weights", &self.alert_hourly_weights)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hour_lists_take_commas_spaces_and_brackets() {
        let comma: Vec<String> = (0..24).map(|h| h.to_string()).collect();
        let bracket = vec![format!("[{}]", comma.join(", "))];
        let spaces = vec![comma.join(" ")];
        let expected = std::array::from_fn(|h| h as u64 * 1_000_000);
        for texts in [&comma, &bracket, &spaces] {
            assert_eq!(hours("--x", texts).unwrap(), Some(expected));
        }
        for bad in [&comma[1..], &["".into()][..]] {
            assert!(hours("--x", bad).is_err());
        }
    }
}
