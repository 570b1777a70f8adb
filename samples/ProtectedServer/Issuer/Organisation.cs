namespace McpSm.Samples;

/// <summary>What an identity provider knows of the servers that its organisation uses.</summary>
public sealed class Organisation
{
    /// <summary>The person who signs in, the <c>sub</c> of every ID token. There is but one here.</summary>
    public const string Person = "U-0001";

    private readonly Lock _gate = new();
    private readonly List<OrganisationServer> _servers = [];

    public TimeSpan IdTokenLifetime { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Lets the organisation's people use a server. Issuers start one after another, so this may come late.</summary>
    public void Add(OrganisationServer server)
    {
        lock (_gate)
        {
            _servers.Add(server);
        }
    }

    internal OrganisationServer? Find(string issuer, string resource)
    {
        lock (_gate)
        {
            return _servers.Find(s => s.Issuer == issuer && s.Resource == resource);
        }
    }
}
