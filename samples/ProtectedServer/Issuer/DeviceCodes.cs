namespace McpSm.Samples;

/// <summary>The device codes that wait for a user (RFC 8628).</summary>
internal sealed class DeviceCodes(AuthorizationServerOptions options)
{
    // A client can poll slightly early because of the resolution of its clock.
    private const double Grain = 0.9;
    private static readonly TimeSpan SlowDownStep = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Entry> _codes = new(StringComparer.Ordinal);

    private enum Decision
    {
        Pending,
        Approved,
        Denied,
    }

    private DateTimeOffset Now => options.TimeProvider.GetUtcNow();

    public (string DeviceCode, string UserCode) Issue(Grant grant)
    {
        var (deviceCode, userCode) = (Secrets.New("dc_"), Secrets.NewUserCode());
        lock (_gate)
        {
            _codes[deviceCode] = new Entry(grant, userCode, Now + options.DeviceCodeLifetime)
            {
                Interval = options.DevicePollingInterval,
            };
        }

        return (deviceCode, userCode);
    }

    /// <summary>Records the decision of the user. Returns false if the code is not pending.</summary>
    public bool Decide(string userCode, bool approve)
    {
        // Users type the code, so case and dashes are ignored (RFC 8628 section 6.1).
        var typed = Plain(userCode);
        lock (_gate)
        {
            var entry = _codes.Values.FirstOrDefault(
                e => Plain(e.UserCode) == typed && e.Until > Now && e.Decision == Decision.Pending);
            if (entry is null)
            {
                return false;
            }

            entry.Decision = approve ? Decision.Approved : Decision.Denied;
            return true;
        }
    }

    /// <summary>Returns the result of a poll of the token endpoint (RFC 8628 section 3.5).</summary>
    public TokenFamily Redeem(string deviceCode, string clientId, Parameters form)
    {
        var asked = form.Resources;
        lock (_gate)
        {
            if (!_codes.TryGetValue(deviceCode, out var entry) || entry.Grant.ClientId != clientId)
            {
                throw new OAuthException("invalid_grant", "the device code is not known");
            }

            if (entry.Until <= Now)
            {
                throw new OAuthException("expired_token", "the device code has expired");
            }

            var tooSoon = Now - entry.LastPoll < entry.Interval * Grain;
            entry.LastPoll = Now;
            if (tooSoon)
            {
                entry.Interval += SlowDownStep;
                throw new OAuthException("slow_down", "polled sooner than the interval allows");
            }

            switch (entry.Decision)
            {
                case Decision.Pending:
                    throw new OAuthException("authorization_pending", "the user has not decided yet");
                case Decision.Denied:
                    throw new OAuthException("access_denied", "the request was denied");
            }

            // RFC 8707 does not say which of the two requests names the resource, so both can.
            var resources = entry.Grant.Resources.Count == 0 ? asked : TokenStore.Narrow(entry.Grant.Resources, asked);
            if (resources.Count == 0 && options.Organisation is null)
            {
                throw new OAuthException("invalid_target", "resource is missing");
            }

            _codes.Remove(deviceCode);
            return new TokenFamily(entry.Grant with { Resources = resources });
        }
    }

    private static string Plain(string userCode) =>
        string.Concat(userCode.Where(char.IsAsciiLetter)).ToUpperInvariant();

    private sealed class Entry(Grant grant, string userCode, DateTimeOffset until)
    {
        public Grant Grant { get; } = grant;

        public string UserCode { get; } = userCode;

        public DateTimeOffset Until { get; } = until;

        public DateTimeOffset LastPoll { get; set; } = DateTimeOffset.MinValue;

        public TimeSpan Interval { get; set; }

        public Decision Decision { get; set; }
    }
}
